import { bug, type PlantedBug } from "./planted-bug.ts";

/** The maximum that holds over all processes. */
export const QUEUE_SHARE_BUGS: readonly PlantedBug[] = [
  bug("every process runs as many batches as all may", ["scaling"], {
    at: "every-process-runs-as-many-batches-as-all-may",
    instead: "return this.#options.scaling.limit;",
  }),
  bug("a part of the maximum is given away while its batches run", ["scaling"], {
    at: "a-part-of-the-maximum-is-given-away-while-its-batches-run",
    instead: "if (beside > 0 || this.#needsNone) void this.#release(part);",
  }),
  bug("parts of the maximum are kept after stop", ["I15"], {
    at: "parts-of-the-maximum-are-kept-after-stop",
    instead: "part.lease.isEnding = true;",
  }),
  bug("messages wait for a place that never comes", ["I16"], {
    at: "messages-wait-for-a-place-that-never-comes",
    instead: "if (!mayWait && ledger.buffer.size < 0) {",
  }),
];
