import { bug, type PlantedBug } from "./planted-bug.ts";

/** Records lost, repeated, out of order, given up wrongly; checkpoints that lie. */
export const PROGRESS_BUGS: readonly PlantedBug[] = [
  bug("records are settled before the destination has accepted them", ["I5", "I1"], {
    at: "records-are-settled-before-the-destination-has-accepted-them",
    instead: "deliverTraced(destination, record, call, traced).catch(() => {}); const delivered = undefined;",
  }),
  bug("an unavailable destination drops the record", ["I5", "I1"], {
    at: "an-unavailable-destination-drops-the-record",
    instead: "return true;",
  }),
  bug("a drop is not counted", ["I1"], { at: "a-drop-is-not-counted", lines: 2, instead: "" }),
  bug("the lane does not depend on the key", ["I2"], {
    at: "the-lane-does-not-depend-on-the-key",
    instead: "const index = this.#keylessRecords++ % lanes;",
  }),
  bug("the right half of a split batch goes first", ["I2"], {
    at: "the-right-half-of-a-split-batch-goes-first",
    instead: 'return { kind: "split", segment, halves: [right, left], failures, triedForMs: undefined };',
  }),
  bug("parts of a batch are pushed in the wrong order", ["I2"], {
    at: "parts-of-a-batch-are-pushed-in-the-wrong-order",
    instead: 'if (step.kind === "next") stack.push(...step.segments);',
  }),
  bug("one retry too many", ["I3"], {
    at: "one-retry-too-many",
    instead:
      "if (mapping.retryAttemptsMax !== undefined && segment.failures > mapping.retryAttemptsMax + 1) {",
  }),
  bug("one retry too few", ["I3"], {
    at: "one-retry-too-few",
    instead:
      "if (mapping.retryAttemptsMax !== undefined && segment.failures >= Math.max(1, mapping.retryAttemptsMax)) {",
  }),
  bug("a throttle costs a retry", ["I3"], {
    at: "a-throttle-costs-a-retry",
    instead: "return fail(segment, undefined, mapping, nowMs);",
  }),
  bug("records are given up at half their age", ["I3", "I5", "I1"], {
    at: "records-are-given-up-at-half-their-age",
    instead: "return read.monotonicMs + this.#recordAgeMsMax / 2 - ageAtReadMs;",
  }),
  bug("a settled range is one record too long", ["I5"], {
    at: "a-settled-range-is-one-record-too-long",
    instead:
      "ranges.push({ from: this.#positionOf(from), to: this.#endOf(Math.min(ordinal, this.#next - 1)) });",
  }),
  bug("the low-water mark passes open records", ["I5"], {
    at: "the-low-water-mark-passes-open-records",
    instead: "while (this.#low < this.#next) this.#passLowest();",
  }),
  bug("settled ranges are not stored", ["I7"], {
    at: "settled-ranges-are-not-stored",
    instead: "settledRanges: [],",
  }),
  bug("settled ranges that are not read yet are forgotten", ["I4"], {
    at: "settled-ranges-that-are-not-read-yet-are-forgotten",
    instead: "settledRanges: this.mark.settledRanges(),",
  }),
  bug("settled ranges are not skipped after a restart", ["I7"], {
    at: "settled-ranges-are-not-skipped-after-a-restart",
    instead: "if (settlement.wasSettled(record.position) && record.bytes < 0) {",
  }),
  bug("a shard is read from its oldest record after a restart", ["I4", "I7"], {
    at: "a-shard-is-read-from-its-oldest-record-after-a-restart",
    instead: 'start: { kind: "oldest" },',
  }),
  bug("a partial response settles up to the last failure named", ["I5", "I1"], {
    at: "a-partial-response-settles-up-to-the-last-failure-named",
    instead: "for (const index of failed) first = index;",
  }),
  bug("the records of a listed record's key are settled behind it", ["I5", "I1"], {
    at: "the-records-of-a-listed-records-key-are-settled-behind-it",
    instead: "const isHeldBack = key === undefined && failedKeys.size > records.length;",
  }),
  bug("listed records are settled with the others", ["I5", "I1"], {
    at: "listed-records-are-settled-with-the-others",
    instead: "if (isHeldBack || (failed.has(index) && again.length === 0)) again.push(buffered);",
  }),
  bug("a response that names unknown records is taken for success", ["I5", "I1"], {
    at: "a-response-that-names-unknown-records-is-taken-for-success",
    instead: 'if (index === undefined) return { kind: "succeeded", stateJson };',
  }),
  bug("a response that is not JSON is taken for success", ["I5", "I1"], {
    at: "a-response-that-is-not-json-is-taken-for-success",
    instead: 'if (!isJson(payload)) return { kind: "parsed", body: null, text: "null" } as const;',
  }),
  bug("a lease is handed over without draining", ["I7"], {
    at: "a-lease-is-handed-over-without-draining",
    instead: "await sleepUnless(worker.drain(), this.#environment.clock, 0);",
  }),
  bug("the checkpoint of a lease is ignored by its next owner", ["I7", "I4"], {
    at: "the-checkpoint-of-a-lease-is-ignored-by-its-next-owner",
    instead: 'checkpoint: { ...checkpoint, resume: { kind: "oldest" }, settledRanges: [] },',
  }),
  bug("checkpoints are written once an hour", ["I7", "I15"], {
    at: "checkpoints-are-written-once-an-hour",
    instead: "const delayMs = Math.max(3_600_000, untilDueMs, this.#pauseMs());",
  }),
  bug("a split loses a record", ["I1", "I16"], {
    at: "a-split-loses-a-record",
    instead: "const right = segment.records.slice(middle === 1 ? 1 : middle + 1);",
  }),
  bug("an empty read is taken for the end of the shard", ["I5", "I12", "I16"], {
    at: "an-empty-read-is-taken-for-the-end-of-the-shard",
    instead: "if (read.endOfShard || read.records.length === 0) {",
  }),
  bug("a shard is called ended while records are in flight", ["I5", "I12"], {
    at: "a-shard-is-called-ended-while-records-are-in-flight",
    instead: "return this.#isAtEnd;",
  }),
  bug("the store does not fence", ["I4", "I6"], {
    at: "the-store-does-not-fence",
    instead: "return lease.epoch > 0 ? row : undefined;",
  }),
  bug("a drain ends when a timer thinks so", ["I7", "I26"], {
    at: "a-drain-ends-when-a-timer-thinks-so",
    instead: "const call = clock.schedule(delayMs, resolve);",
  }),
  bug("the source skips a record after an empty read", ["I1", "I5"], {
    at: "the-source-skips-a-record-after-an-empty-read",
    instead: "this.#next = Math.min(from + 1, this.#shard.records.length);",
  }),
];
