import { bug, type PlantedBug, QUEUE } from "./planted-bug.ts";

/** Receives that no function sees, messages that spoil their neighbours, and what is never given back. */
export const QUEUE_RECEIVE_BUGS: readonly PlantedBug[] = [
  bug("more of a FIFO queue is received than can start", ["I19"], {
    file: `${QUEUE}/receive-room.ts`,
    find: "if (this.isOrdered) return this.#ofOneBatch(free - receives);",
    replace: "",
  }),
  bug("a stop gives back what waits, though it could run", ["I19"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "await sleepUnless(drained, clock, Math.min(startsMs, drainMs));",
    replace:
      'this.#track(this.#giveBack(this.#buffer.messages, "a stop"));\n    await sleepUnless(drained, clock, Math.min(startsMs, drainMs));',
  }),
  bug("a stop does not wait for receives that are under way", ["I19", "I15", "I26"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: " && this.#receiver.running === 0;\n    if (isDrained)",
    replace: ";\n    if (isDrained)",
  }),
  bug("what goes back unseen is not counted", ["I19"], {
    file: `${QUEUE}/given-up-log.ts`,
    find: 'this.#telemetry.count("unseen_receives", this.#mapping, released.length);',
    replace: "",
  }),
  bug("a message that cannot be looked into fails its whole receive", ["I23", "I15", "I16"], {
    file: `${QUEUE}/message-sieve.ts`,
    find: "if (broken.length === 0) firstError = error;",
    replace: "return { wanted: [], unwanted: [], broken: [], error };",
  }),
  bug("a message of which no event can be made fails its whole batch", ["I23"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "if (broken.length === 0 || sound.length === 0) {",
    replace: "if (broken.length >= 0) {",
  }),
  bug("messages that cannot be converted keep what they took", ["I26"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "this.#ledger.letGo(broken);",
    replace: "",
  }),
  bug("what was filtered out keeps its bytes", ["I26", "I16"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "this.#ledger.letGo(unwanted);",
    replace: "",
  }),
];
