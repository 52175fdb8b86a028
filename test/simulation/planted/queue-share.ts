import { bug, type PlantedBug, QUEUE } from "./planted-bug.ts";

/** The maximum that holds over all processes. */
export const QUEUE_SHARE_BUGS: readonly PlantedBug[] = [
  bug("every process runs as many batches as all may", ["scaling"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "return Math.min(this.#scaling.limit, this.#share?.places ?? Number.POSITIVE_INFINITY);",
    replace: "return this.#scaling.limit;",
  }),
  bug("a part of the maximum is given away while its batches run", ["scaling"], {
    file: `${QUEUE}/concurrency-share.ts`,
    find: "this.#options.running() <= this.#placesBeside(part)",
    replace: "this.#options.running() >= 0",
  }),
  bug("parts of the maximum are kept after stop", ["I15"], {
    file: `${QUEUE}/concurrency-share.ts`,
    find: "await store.release(mappingUuid, part.lease);",
    replace: "void store;",
  }),
  bug("messages wait for a place that never comes", ["I16"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "if (waiting.length > 0 && !this.#stop.signal.aborted) this.#giveBack(waiting);",
    replace: "void waiting;",
  }),
];
