import { bug, type PlantedBug, QUEUE } from "./planted-bug.ts";

/** The maximum that holds over all processes. */
export const QUEUE_SHARE_BUGS: readonly PlantedBug[] = [
  bug("every process runs as many batches as all may", ["scaling"], {
    file: `${QUEUE}/batch-places.ts`,
    find: "return Math.min(this.#options.scaling.limit, this.#share?.places ?? Number.POSITIVE_INFINITY);",
    replace: "return this.#options.scaling.limit;",
  }),
  bug("a part of the maximum is given away while its batches run", ["scaling"], {
    file: `${QUEUE}/concurrency-share.ts`,
    find: "if (running() <= beside && (beside > 0 || isEmptyHanded()))",
    replace: "if (beside > 0 || isEmptyHanded())",
  }),
  bug("parts of the maximum are kept after stop", ["I15"], {
    file: `${QUEUE}/concurrency-share.ts`,
    find: "await store.release(mappingUuid, part.lease);",
    replace: "void store;",
  }),
  bug("messages wait for a place that never comes", ["I16"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "if (!mayWait && this.#buffer.size > 0) {",
    replace: "if (!mayWait && this.#buffer.size < 0) {",
  }),
];
