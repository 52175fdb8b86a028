import { bug, type PlantedBug } from "./planted-bug.ts";

/** Size, split, budget and fairness of batches, tumbling windows, answers of functions, and the laws of the ports. */
export const BATCHES_BUGS: readonly PlantedBug[] = [
  bug("a response that is not JSON stops the engine", ["I18"], {
    at: "a-response-that-is-not-json-stops-the-engine",
    instead: 'if (!isJson(payload)) throw new Error("not JSON");',
  }),
  bug("the smallest batches are not split", ["I9"], {
    at: "the-smallest-batches-are-not-split",
    instead:
      "if (mapping.bisectBatchOnFunctionError && segment.records.length > 2) return split(segment, 0);",
  }),
  bug("batches are split one record at a time", ["I9"], {
    at: "batches-are-split-one-record-at-a-time",
    instead: "const middle = 1;",
  }),
  bug("reading ahead ignores the byte budget", ["I10"], {
    at: "reading-ahead-ignores-the-byte-budget",
    instead: "return mark.places < recordsMax || budget.room > 1e12;",
  }),
  bug("what is read is not taken from the budget", ["I10"], {
    at: "what-is-read-is-not-taken-from-the-budget",
    lines: 2,
    instead: "this.#parent?.take(0 * bytes);",
  }),
  bug("reading ahead ignores the window", ["I10"], {
    at: "reading-ahead-ignores-the-window",
    instead: "return mark.places < recordsMax * 1e6 && (this.#isPromised || budget.hasRoom);",
  }),
  bug("one failing key stops its whole shard", ["I11"], {
    at: "one-failing-key-stops-its-whole-shard",
    instead: "{ length: 1 },",
  }),
  bug("a mapping waits for another's function", ["I11"], {
    at: "a-mapping-waits-for-anothers-function",
    instead: "let invoker = this.#invokers.get(fn.name) ?? [...this.#invokers.values()][0];",
  }),
  bug("a batch has one record too many", ["I13"], {
    at: "a-batch-has-one-record-too-many",
    instead: "while (count <= batchSize) {",
  }),
  bug("the payload limit does not count commas and elements", ["I13"], {
    at: "the-payload-limit-does-not-count-commas-and-elements",
    instead: "if (count > 0 && bytes > payloadBytesMax * 1.1) {",
  }),
  bug("a batch waits for two windows", ["I13"], {
    at: "a-batch-waits-for-two-windows",
    instead: "return this.#startMs + (Math.floor(elapsedMs / lengthMs) + 3) * lengthMs;",
  }),
  bug("batches do not wait for their window", ["I13"], {
    at: "batches-do-not-wait-for-their-window",
    instead: "return this.#startMs + (Math.floor(elapsedMs / lengthMs) + 0.5) * lengthMs;",
  }),
  bug("reads do not wait for the source's quota", ["ports"], {
    at: "reads-do-not-wait-for-the-sources-quota",
    instead: "if (read.readAgainAfterMs <= 1e9) continue;",
  }),
  bug("one invocation more than the function's concurrency", ["ports"], {
    at: "one-invocation-more-than-the-functions-concurrency",
    instead: "this.#slots = new Slots(fn.concurrency + 1);",
  }),
  bug("chance comes from outside", ["determinism"], {
    at: "chance-comes-from-outside",
    instead: "return (random.next() * 0 + Math.random()) * ceilingMs;",
  }),
];
