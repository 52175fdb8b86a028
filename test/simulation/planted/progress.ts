import { bug, INVOKE, type PlantedBug, STREAM } from "./planted-bug.ts";

/** Records lost, repeated, out of order, given up wrongly; checkpoints that lie. */
export const PROGRESS_BUGS: readonly PlantedBug[] = [
  bug("records are settled before the destination has accepted them", ["I5", "I1"], {
    file: `${INVOKE}/failure-delivery.ts`,
    find: "await deliverTraced(destination, record, call, traced);",
    replace: "deliverTraced(destination, record, call, traced).catch(() => {});",
  }),
  bug("an unavailable destination drops the record", ["I5", "I1"], {
    file: `${INVOKE}/failure-delivery.ts`,
    find: 'telemetry.mark("destination unavailable");',
    replace: "return true;",
  }),
  bug("a drop is not counted", ["I1"], {
    file: `${INVOKE}/failure-delivery.ts`,
    find: 'telemetry.mark("drop without destination");\n      telemetry.count("dropped_events", mapping, events);',
    replace: "",
  }),
  bug("the lane does not depend on the key", ["I2"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "record.key === undefined ? this.#keylessRecords++ % lanes : laneOfKey(record.key, lanes)",
    replace: "this.#keylessRecords++ % lanes",
  }),
  bug("the right half of a split batch goes first", ["I2"], {
    file: `${STREAM}/batch-run.ts`,
    find: 'return { kind: "next", segments: [left, right] };',
    replace: 'return { kind: "next", segments: [right, left] };',
  }),
  bug("parts of a batch are pushed in the wrong order", ["I2"], {
    file: `${STREAM}/batch-run.ts`,
    find: "stack.push(...step.segments.toReversed());",
    replace: "stack.push(...step.segments);",
  }),
  bug("one retry too many", ["I3"], {
    file: `${STREAM}/batch-run.ts`,
    find: "segment.failures > mapping.retryAttemptsMax",
    replace: "segment.failures > mapping.retryAttemptsMax + 1",
  }),
  bug("one retry too few", ["I3"], {
    file: `${STREAM}/batch-run.ts`,
    find: "segment.failures > mapping.retryAttemptsMax",
    replace: "segment.failures >= Math.max(1, mapping.retryAttemptsMax)",
  }),
  bug("a throttle costs a retry", ["I3"], {
    file: `${STREAM}/batch-run.ts`,
    find: "return this.#pause(segment, outcome.retryAfterMs ?? 0);",
    replace: "return await this.#failed(segment, undefined);",
  }),
  bug("records are given up at half their age", ["I3", "I5", "I1"], {
    file: `${STREAM}/expiry.ts`,
    find: "return read.monotonicMs + this.#recordAgeMsMax - ageAtReadMs;",
    replace: "return read.monotonicMs + this.#recordAgeMsMax / 2 - ageAtReadMs;",
  }),
  bug("a settled range is one record too long", ["I5"], {
    file: `${STREAM}/low-water-mark.ts`,
    find: "to: this.#endOf(ordinal - 1) });",
    replace: "to: this.#endOf(Math.min(ordinal, this.#next - 1)) });",
  }),
  bug("the low-water mark passes open records", ["I5"], {
    file: `${STREAM}/low-water-mark.ts`,
    find: "while (this.#low < this.#next && this.#settled[this.#low & mask] !== OPEN) this.#passLowest();",
    replace: "while (this.#low < this.#next) this.#passLowest();",
  }),
  bug("settled ranges are not stored", ["I7"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "settledRanges: this.#skip.withUnread(this.#mark.settledRanges()),",
    replace: "settledRanges: [],",
  }),
  bug("settled ranges that are not read yet are forgotten", ["I4"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "settledRanges: this.#skip.withUnread(this.#mark.settledRanges()),",
    replace: "settledRanges: this.#mark.settledRanges(),",
  }),
  bug("settled ranges are not skipped after a restart", ["I7"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "if (this.#skip.isSettled(record.position)) {",
    replace: "if (this.#skip.isSettled(record.position) && record.bytes < 0) {",
  }),
  bug("a shard is read from its oldest record after a restart", ["I4", "I7"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "start: this.#mark.resume,",
    replace: 'start: { kind: "oldest" },',
  }),
  bug("a partial response settles up to the last failure named", ["I5", "I1"], {
    file: `${STREAM}/partial-retry.ts`,
    find: "for (const index of failed) first = Math.min(first, index);",
    replace: "for (const index of failed) first = index;",
  }),
  bug("the records of a listed record's key are settled behind it", ["I5", "I1"], {
    file: `${STREAM}/partial-retry.ts`,
    find: "const isHeldBack = key !== undefined && failedKeys.has(key);",
    replace: "const isHeldBack = key === undefined && failedKeys.size > records.length;",
  }),
  bug("listed records are settled with the others", ["I5", "I1"], {
    file: `${STREAM}/partial-retry.ts`,
    find: "if (failed.has(index) || isHeldBack) again.push(buffered);",
    replace: "if (isHeldBack || (failed.has(index) && again.length === 0)) again.push(buffered);",
  }),
  bug("a response that names unknown records is taken for success", ["I5", "I1"], {
    file: `${INVOKE}/response.ts`,
    find: 'if (index === undefined) return malformed("an `itemIdentifier` names no record of the batch");',
    replace: 'if (index === undefined) return { kind: "succeeded", stateJson };',
  }),
  bug("a response that is not JSON is taken for success", ["I5", "I1"], {
    file: `${INVOKE}/response.ts`,
    find: 'return malformed("the response is not JSON");',
    replace: 'return { kind: "parsed", body: null, text: "null" } as const;',
  }),
  bug("a lease is handed over without draining", ["I7"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "await sleepUnless(worker.drain(), clock, drainMs);",
    replace: "await sleepUnless(worker.drain(), clock, 0);",
  }),
  bug("the checkpoint of a lease is ignored by its next owner", ["I7", "I4"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "checkpoint: this.#beginningOf(row.shardId, acquired.checkpoint),",
    replace: 'checkpoint: { ...acquired.checkpoint, resume: { kind: "oldest" }, settledRanges: [] },',
  }),
  bug("checkpoints are written once an hour", ["I7", "I15"], {
    file: `${STREAM}/checkpoint-loop.ts`,
    find: "const delayMs = Math.max(0, untilDueMs, this.#pauseMs());",
    replace: "const delayMs = Math.max(3_600_000, untilDueMs, this.#pauseMs());",
  }),
  bug("a split loses a record", ["I1", "I16"], {
    file: `${STREAM}/batch-run.ts`,
    find: "const right = { ...this.#retry(segment.records.slice(middle), depth), failures };",
    replace:
      "const right = { ...this.#retry(segment.records.slice(middle === 1 ? 1 : middle + 1), depth), failures };",
  }),
  bug("an empty read is taken for the end of the shard", ["I5", "I12", "I16"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "if (read.endOfShard) {",
    replace: "if (read.endOfShard || read.records.length === 0) {",
  }),
  bug("a shard is called ended while records are in flight", ["I5", "I12"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "return this.#isAtEnd && this.#isAllSettled();",
    replace: "return this.#isAtEnd;",
  }),
  bug("the store does not fence", ["I4", "I6"], {
    file: "test/simulation/world/store-rows.ts",
    find: "return row !== undefined && row.owner === lease.owner && row.epoch === lease.epoch ? row : undefined;",
    replace: "return lease.epoch > 0 ? row : undefined;",
  }),
  bug("a drain ends when a timer thinks so", ["I7", "I26"], {
    file: "src/lib/sleep.ts",
    find: "const call = scheduleAfter(clock, delayMs, resolve);",
    replace: "const call = clock.schedule(delayMs, resolve);",
  }),
  bug("the source skips a record after an empty read", ["I1", "I5"], {
    file: "test/simulation/world/shard-reader.ts",
    find: "if (read.trimmed) this.#next = from;",
    replace: "this.#next = Math.min(from + 1, this.#shard.records.length);",
  }),
];
