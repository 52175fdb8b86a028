import { bug, INVOKE, type PlantedBug, STREAM } from "./planted-bug.ts";

/** Size, split, budget and fairness of batches, tumbling windows, answers of functions, and the laws of the ports. */
export const BATCHES_BUGS: readonly PlantedBug[] = [
  bug("a response that is not JSON stops the engine", ["I18"], {
    file: `${INVOKE}/response.ts`,
    find: 'return malformed("the response is not JSON");',
    replace: 'throw new Error("not JSON");',
  }),
  bug("the smallest batches are not split", ["I9"], {
    file: `${STREAM}/batch-run.ts`,
    find: "if (mapping.bisectBatchOnFunctionError && segment.records.length > 1)",
    replace: "if (mapping.bisectBatchOnFunctionError && segment.records.length > 2)",
  }),
  bug("batches are split one record at a time", ["I9"], {
    file: `${STREAM}/batch-run.ts`,
    find: "const middle = Math.floor(segment.records.length / 2);",
    replace: "const middle = 1;",
  }),
  bug("reading ahead ignores the byte budget", ["I10"], {
    file: `${STREAM}/read-ahead.ts`,
    find: "recordsMax * (1 - share) && budget.room > 0;",
    replace: "recordsMax * (1 - share) || budget.room > 1e12;",
  }),
  bug("what is read is not taken from the budget", ["I10"], {
    file: "src/engine/budget.ts",
    find: "this.#used += bytes;\n    this.#parent?.take(bytes);",
    replace: "this.#parent?.take(0 * bytes);",
  }),
  bug("reading ahead ignores the window", ["I10"], {
    file: `${STREAM}/read-ahead.ts`,
    find: "return places() < recordsMax * (1 - share) && budget.room > 0;",
    replace: "return places() < recordsMax * 1e6 * (1 - share) && budget.room > 0;",
  }),
  bug("one failing key stops its whole shard", ["I11"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "{ length: mapping.parallelizationFactor },",
    replace: "{ length: 1 },",
  }),
  bug("a mapping waits for another's function", ["I11"], {
    file: "src/invocation/invoker-book.ts",
    find: "this.#invokers.get(fn.name);",
    replace: "this.#invokers.get(fn.name) ?? [...this.#invokers.values()][0];",
  }),
  bug("a batch has one record too many", ["I13"], {
    file: "src/engine/batch/batcher.ts",
    find: "while (count < batchSize) {",
    replace: "while (count <= batchSize) {",
  }),
  bug("the payload limit does not count commas and elements", ["I13"], {
    file: "src/engine/batch/batcher.ts",
    find: "if (count > 0 && bytes > payloadBytesMax) {",
    replace: "if (count > 0 && bytes > payloadBytesMax * 1.1) {",
  }),
  bug("a batch waits for two windows", ["I13"], {
    file: `${STREAM}/lane.ts`,
    find: "(Math.floor(elapsedMs / batchingWindowMs) + 1) * batchingWindowMs;",
    replace: "(Math.floor(elapsedMs / batchingWindowMs) + 3) * batchingWindowMs;",
  }),
  bug("batches do not wait for their window", ["I13"], {
    file: `${STREAM}/lane.ts`,
    find: "(Math.floor(elapsedMs / batchingWindowMs) + 1) * batchingWindowMs;",
    replace: "(Math.floor(elapsedMs / batchingWindowMs) + 0.5) * batchingWindowMs;",
  }),
  bug("reads do not wait for the source's quota", ["ports"], {
    file: `${STREAM}/read-loop.ts`,
    find: "if (read.readAgainAfterMs <= 0) continue;",
    replace: "if (read.readAgainAfterMs <= 1e9) continue;",
  }),
  bug("one invocation more than the function's concurrency", ["ports"], {
    file: "src/invocation/function-invoker.ts",
    find: "new Slots(fn.concurrency);",
    replace: "new Slots(fn.concurrency + 1);",
  }),
  bug("chance comes from outside", ["determinism"], {
    file: "src/lib/back-off.ts",
    find: "return random.next() * ceilingMs;",
    replace: "return (random.next() * 0 + Math.random()) * ceilingMs;",
  }),
];
