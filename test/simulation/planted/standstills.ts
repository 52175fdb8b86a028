import { bug, type PlantedBug } from "./planted-bug.ts";

/** Work that nobody goes on with, and that nobody can say a reason for. */
export const STANDSTILL_BUGS: readonly PlantedBug[] = [
  bug("a lane forgets to wake up for the batch that it fills", ["S1"], {
    at: "a-lane-forgets-to-wake-up-for-the-batch-that-it-fills",
    instead: "this.#timer = this.#context.clock.schedule(dueInMs, () => {});",
  }),
  bug("a reader ends at its first failure, and notes nothing", ["S1"], {
    at: "a-reader-ends-at-its-first-failure-and-notes-nothing",
    instead: "return;",
  }),
  bug("a queue's receiver forgets to wake up after an outage", ["S1"], {
    at: "a-queues-receiver-forgets-to-wake-up-after-an-outage",
    instead: "this.#retry = this.#options.clock.schedule(inMs, () => {});",
  }),
  bug("the last failure of a batch is told after it has passed", ["S2"], {
    at: "the-last-failure-is-told-after-it-has-passed",
    instead: "failure: this.#failure?.code,",
  }),
  bug("a message that was settled is told as failed", ["S2"], {
    at: "a-message-that-was-settled-is-told-as-failed",
    instead:
      "this.#failed.add([...ending.leave, ...ending.acknowledge], lastProblem, lastErrorId, lastFailure);",
  }),
  bug("a wait for parents is told though they have ended", ["S2"], {
    at: "a-wait-for-parents-is-told-though-they-have-ended",
    lines: 5,
    instead: `this.#waiting = [
      ...this.#waiting,
      ...waiting
        .filter((row) => !this.#waiting.some(({ shardId }) => shardId === row.shardId))
        .map((row) => ({ shardId: row.shardId, parents: waitedFor(row, rows, lineage), sinceMs: since.get(row.shardId) ?? nowMs })),
    ];`,
  }),
  bug("a lane that waits for its other versions says nothing", ["S1", "S2"], {
    at: "a-lane-that-waits-for-its-other-versions-says-nothing",
    instead: "const { batch } = lane;",
  }),
  bug("what is full points to itself", ["S3"], {
    at: "what-is-full-points-to-itself",
    instead: 'const cause = { cause: "itself" };',
  }),
  bug("what is full points to nobody", ["S3"], {
    at: "what-is-full-points-to-nobody",
    instead: 'const cause = heldUp === "" ? { cause: heldUp } : {};',
  }),
];
