import { bug, type PlantedBug } from "./planted-bug.ts";

/** Streams made anew, logs that lose their ends, places without records, damaged records. */
export const LOG_BUGS: readonly PlantedBug[] = [
  bug("what was settled ahead in the old log is skipped in the new one", ["I21", "I1", "I5"], {
    at: "what-was-settled-ahead-in-the-old-log-is-skipped-in-the-new-one",
    instead: "",
  }),
  bug("a shard made anew is resumed where the old one was", ["I21", "I1", "I5"], {
    at: "a-shard-made-anew-is-resumed-where-the-old-one-was",
    instead: "reader ??= await source.openReader(shardId, start, stopSignal);",
  }),
  bug("the new log is read before the old one is brought to its end", ["I21", "I2", "I18"], {
    at: "the-new-log-is-read-before-the-old-one-is-brought-to-its-end",
    instead: "",
  }),
  bug("nobody is told that a shard is another log", ["I21"], {
    at: "nobody-is-told-that-a-shard-is-another-log",
    instead: "",
  }),
  bug("settled ranges are believed of a log that lost them", ["I21", "I1", "I5"], {
    at: "settled-ranges-are-believed-of-a-log-that-lost-them",
    instead: "if (range !== undefined) kept = middle + 1;",
  }),
  bug("an ended shard that is another log by now stays ended", ["I21", "I16"], {
    at: "an-ended-shard-that-is-another-log-by-now-stays-ended",
    instead: "if (row.checkpoint.ended) continue;",
  }),
  bug("a shard made anew does not wait for its new parents", ["I12"], {
    at: "a-shard-made-anew-does-not-wait-for-its-new-parents",
    instead: "",
  }),
  bug("a place without a record moves nothing", ["I22"], {
    at: "a-place-without-a-record-moves-nothing",
    instead: "",
  }),
  bug("a place without a record is not made durable", ["I22"], {
    at: "a-place-without-a-record-is-not-made-durable",
    instead: "if (log.saw(read) || read.records.length > 0) checkpoints.changed();",
  }),
  bug("a damaged record takes its batch with it", ["I23"], {
    at: "a-damaged-record-takes-its-batch-with-it",
    instead: "if (segment.records.length < 1) return this.#splitBySize(segment, index);",
  }),
  bug("one record that cannot be encoded condemns all of its batch", ["I23"], {
    at: "one-record-that-cannot-be-encoded-condemns-all-of-its-batch",
    instead: "events.encode(records.map(({ record }) => record), undefined);",
  }),
];
