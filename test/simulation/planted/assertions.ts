import { bug, type PlantedBug } from "./planted-bug.ts";

/** What must hold inside a stream's engine, and what it asserts of itself. */
export const ASSERTION_BUGS: readonly PlantedBug[] = [
  bug("the low-water mark goes back", ["I4", "I16"], {
    at: "the-low-water-mark-goes-back",
    instead:
      'this.#resume = { kind: "after", position: ordinal % 2 === 0 ? this.#endOf(this.#low - 1) : (this.#positions[0] ?? "") };',
  }),
  bug("a single record is split", ["I16"], {
    at: "a-single-record-is-split",
    instead:
      "if (mapping.bisectBatchOnFunctionError && segment.records.length > 0) return split(segment, 0);",
  }),
  bug("a lane starts a batch while one runs", ["I2", "I16"], {
    at: "a-lane-starts-a-batch-while-one-runs",
    instead: 'if (this.#context.startPermission() === "stop") return;',
  }),
  bug("a shard gives back more than it has read ahead", ["I16"], {
    at: "a-shard-gives-back-more-than-it-has-read-ahead",
    instead: "this.readAhead.release(records.length + 1, bytes);",
  }),
  bug("a lease is renewed once in its time", ["I16", "I18"], {
    at: "a-lease-is-renewed-once-in-its-time",
    instead: "this.#renewalMs = settings.leaseDurationMs / 2;",
  }),
];
