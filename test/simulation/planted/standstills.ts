import { bug, type PlantedBug } from "./planted-bug.ts";

/** Work that nobody goes on with, and that nobody can say a reason for. */
export const STANDSTILL_BUGS: readonly PlantedBug[] = [
  bug("a lane forgets to wake up for the batch that it fills", ["I24", "I13", "I16"], {
    at: "a-lane-forgets-to-wake-up-for-the-batch-that-it-fills",
    instead: "this.#timer = this.#context.clock.schedule(dueInMs, () => {});",
  }),
  bug("a reader ends at its first failure, and notes nothing", ["I24"], {
    at: "a-reader-ends-at-its-first-failure-and-notes-nothing",
    instead: "return;",
  }),
  bug("a queue's receiver forgets to wake up after an outage", ["I24"], {
    at: "a-queues-receiver-forgets-to-wake-up-after-an-outage",
    instead: "this.#retry = this.#options.clock.schedule(inMs, () => {});",
  }),
];
