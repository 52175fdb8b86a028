import type { InvariantId } from "./history.ts";

/**
 * Bugs that are planted into the engine (or into the world that it relies on) to see the checkers catch them: each is one
 * textual change of a source file, applied when the file is loaded. A checker that no bug can trip proves nothing.
 */
export interface PlantedBug {
  readonly name: string;
  /** Any of these must be broken. */
  readonly breaks: readonly InvariantId[];
  readonly patches: readonly Patch[];
}

export interface Patch {
  /** From the repository's root. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const STREAM = "src/engine/stream";
const INVOKE = "src/engine/invoke";

export const PLANTED_BUGS: readonly PlantedBug[] = [
  bug("records are settled before the destination has accepted them", ["I5", "I1"], {
    file: `${INVOKE}/failure-delivery.ts`,
    find: "await destination.deliver(record, call);",
    replace: "destination.deliver(record, call).catch(() => {});",
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
    find: "if (ageMs >= this.#recordAgeMsMax) return aged;",
    replace: "if (ageMs >= this.#recordAgeMsMax / 2) return aged;",
  }),
  bug("records that are too old are settled without a word", ["I1", "I5"], {
    file: `${STREAM}/expiry.ts`,
    find: "if (ageMs >= this.#recordAgeMsMax) return aged;",
    replace: "if (ageMs >= this.#recordAgeMsMax) return [] as unknown as List;",
  }),
  bug("a settled range is one record too long", ["I5"], {
    file: `${STREAM}/low-water-mark.ts`,
    find: "to: this.#positionOf(ordinal - 1) });",
    replace: "to: this.#positionOf(Math.min(ordinal, this.#next - 1)) });",
  }),
  bug("the low-water mark passes open records", ["I5"], {
    file: `${STREAM}/low-water-mark.ts`,
    find: "while (this.#low < this.#next && this.#settled[this.#low & mask] === 1) {",
    replace: "while (this.#low < this.#next) {",
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
    file: `${INVOKE}/response.ts`,
    find: "if (index < firstFailure) firstFailure = index;",
    replace: "firstFailure = index;",
  }),
  bug("a response that names unknown records is taken for success", ["I5", "I1"], {
    file: `${INVOKE}/response.ts`,
    find: 'if (index === undefined) return malformed("an `itemIdentifier` names no record of the batch");',
    replace: 'if (index === undefined) return { kind: "succeeded", stateJson };',
  }),
  bug("a response that is not JSON stops the engine", ["I18"], {
    file: `${INVOKE}/response.ts`,
    find: 'return malformed("the response is not JSON");',
    replace: 'throw new Error("not JSON");',
  }),
  bug("a response that is not JSON is taken for success", ["I5", "I1"], {
    file: `${INVOKE}/response.ts`,
    find: 'return malformed("the response is not JSON");',
    replace: "return SUCCEEDED;",
  }),
  bug("invocations start without a live lease", ["I6"], {
    file: `${STREAM}/shard-worker.ts`,
    find: 'return this.#options.isLeaseLive() ? "start" : "wait";',
    replace: 'return "start";',
  }),
  bug("a lease is counted from the answer, not from the question", ["I6"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "held.liveUntilMs = this.#liveUntilMs(askedMs);",
    replace: "held.liveUntilMs = this.#liveUntilMs(clock.monotonic());",
  }),
  bug("a lease is taken after half its time", ["I6"], {
    file: "src/engine/lease/lease-book.ts",
    find: "nowMs - seen.sinceMs >= this.#leaseDurationMs;",
    replace: "nowMs - seen.sinceMs >= this.#leaseDurationMs / 2;",
  }),
  bug("a lease that moves is taken for one that stands still", ["I6"], {
    file: "src/engine/lease/lease-book.ts",
    find: "if (seen?.epoch !== epoch || seen.counter !== counter) {",
    replace: "if (seen?.epoch !== epoch) {",
  }),
  bug("a lease is handed over without draining", ["I7"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "await sleepUnless(worker.drain(), clock, drainMs);",
    replace: "await sleepUnless(worker.drain(), clock, 0);",
  }),
  bug("the checkpoint of a lease is ignored by its next owner", ["I7", "I4"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "checkpoint: acquired.checkpoint,",
    replace: 'checkpoint: { ...acquired.checkpoint, resume: { kind: "oldest" }, settledRanges: [] },',
  }),
  bug("checkpoints are written once an hour", ["I7", "I15"], {
    file: `${STREAM}/checkpoint-loop.ts`,
    find: "const delayMs = Math.max(0, settings.checkpointIntervalMs - sinceMs, pauseMs);",
    replace: "const delayMs = Math.max(3_600_000, sinceMs, pauseMs);",
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
  bug("a split loses a record", ["I1", "I16"], {
    file: `${STREAM}/batch-run.ts`,
    find: "const right = this.#segment(segment.records.slice(middle), depth,",
    replace: "const right = this.#segment(segment.records.slice(middle === 1 ? 1 : middle + 1), depth,",
  }),
  bug("reading ahead ignores the byte budget", ["I10"], {
    file: `${STREAM}/read-ahead.ts`,
    find: "settings.shardWindowRecords * (1 - share) && budget.room > 0;",
    replace: "settings.shardWindowRecords * (1 - share) || budget.room > 1e12;",
  }),
  bug("what is read is not taken from the budget", ["I10"], {
    file: "src/engine/budget.ts",
    find: "this.#used += bytes;\n    this.#parent?.take(bytes);",
    replace: "this.#parent?.take(0 * bytes);",
  }),
  bug("reading ahead ignores the window", ["I10"], {
    file: `${STREAM}/read-ahead.ts`,
    find: "return span() < settings.shardWindowRecords * (1 - share) && budget.room > 0;",
    replace: "return span() < settings.shardWindowRecords * 1e6 * (1 - share) && budget.room > 0;",
  }),
  bug("one failing key stops its whole shard", ["I11"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "{ length: mapping.parallelizationFactor },",
    replace: "{ length: 1 },",
  }),
  bug("a mapping waits for another's function", ["I11"], {
    file: "src/engine/supervisor.ts",
    find: "this.#invokers.get(fn.name);",
    replace: "this.#invokers.get(fn.name) ?? [...this.#invokers.values()][0];",
  }),
  bug("a child starts before its parents are done", ["I12"], {
    file: `${STREAM}/lineage.ts`,
    find: "parent.checkpoint.ended;",
    replace: "true;",
  }),
  bug("a merged child waits for one of its parents only", ["I12"], {
    file: `${STREAM}/lineage.ts`,
    find: "startable: open.filter((row) => row.parentShardIds.every(isPast)),",
    replace:
      "startable: open.filter((row) => row.parentShardIds.length === 0 || row.parentShardIds.some(isPast)),",
  }),
  bug("a shard that is found later begins at its tip", ["I12"], {
    file: `${STREAM}/discovery.ts`,
    find: 'shard, checkpoint: initialCheckpoint({ kind: "oldest" }) }));',
    replace: 'shard, checkpoint: initialCheckpoint({ kind: "timestamp", epochMs: 9e14 }) }));',
  }),
  bug("shards are listed once", ["I12", "I16"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "return clock.monotonic() - this.#discoveredMs >= settings.discoveryIntervalMs;",
    replace: "return this.#listed === undefined && clock.monotonic() >= 0 * settings.discoveryIntervalMs;",
  }),
  bug("an empty read is taken for the end of the shard", ["I5", "I12", "I16"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "if (read.endOfShard) {",
    replace: "if (read.endOfShard || read.records.length === 0) {",
  }),
  bug("a shard is called ended while records are in flight", ["I5", "I12"], {
    file: `${STREAM}/shard-worker.ts`,
    find: "return this.#isAtEnd && this.#mark.span === 0 && this.#lanes.every((lane) => lane.isEmpty);",
    replace: "return this.#isAtEnd;",
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
  bug("retries go on after stop", ["I15"], {
    file: `${STREAM}/shard-worker.ts`,
    find: 'if (this.#state !== "running") return "stop";',
    replace: 'if (this.#state === "closed") return "stop";',
  }),
  bug("a lane's timer survives its stop", ["I15"], {
    file: `${STREAM}/lane.ts`,
    find: "stop(): void {\n    this.#timer?.cancel();",
    replace: "stop(): void {",
  }),
  bug("leases are kept after stop", ["I15"], {
    file: `${STREAM}/mapping-worker.ts`,
    find: "await store.release(mapping.uuid, worker.lease);\n    } catch",
    replace: "await store.list(mapping.uuid);\n    } catch",
  }),
  bug("the last checkpoint is not waited for", ["I15", "I7"], {
    file: `${STREAM}/checkpoint-loop.ts`,
    find: "for (let tries = 0; tries < triesMax && !this.isDurable && !this.#isClosed; tries++)",
    replace: "for (let tries = triesMax; tries < triesMax; tries++)",
  }),
  bug("a failed read ends the reading", ["I16"], {
    file: `${STREAM}/read-loop.ts`,
    find: "await sleep(clock, backoffMs(failures, limits, random), stopSignal);\n        continue;",
    replace: "return;",
  }),
  bug("reads do not wait for the source's quota", ["ports"], {
    file: `${STREAM}/read-loop.ts`,
    find: "if (read.readAgainAfterMs > 0) await",
    replace: "if (read.readAgainAfterMs > 1e9) await",
  }),
  bug("one invocation more than the function's concurrency", ["ports"], {
    file: `${INVOKE}/function-invoker.ts`,
    find: "new PQueue({ concurrency: fn.concurrency });",
    replace: "new PQueue({ concurrency: fn.concurrency + 1 });",
  }),
  bug("chance comes from outside", ["determinism"], {
    file: `${INVOKE}/backoff.ts`,
    find: "return random.next() * ceilingMs;",
    replace: "return (random.next() * 0 + Math.random()) * ceilingMs;",
  }),
  bug("the store does not fence", ["I4", "I6"], {
    file: "test/simulation/world/store-rows.ts",
    find: "return row !== undefined && row.owner === lease.owner && row.epoch === lease.epoch ? row : undefined;",
    replace: "return lease.epoch > 0 ? row : undefined;",
  }),
  bug("the store gives a lease twice", ["I6"], {
    file: "test/simulation/world/store-rows.ts",
    find: "if (row === undefined || row.epoch !== seen.epoch || row.counter !== seen.counter) return undefined;",
    replace: "if (row === undefined || row.epoch < seen.epoch) return undefined;",
  }),
  bug("the source hides the parents of its shards", ["I12"], {
    file: "test/simulation/world/source.ts",
    find: "parentShardIds: shard.parents.map((parent) => parent.shardId),",
    replace: "parentShardIds: shard.parents.slice(0, 0).map((parent) => parent.shardId),",
  }),
  bug("the source skips a record after an empty read", ["I1", "I5"], {
    file: "test/simulation/world/source.ts",
    find: "if (read.trimmed) this.#next = from;",
    replace: "this.#next = Math.min(from + 1, this.#shard.records.length);",
  }),
];

function bug(name: string, breaks: readonly InvariantId[], ...patches: readonly Patch[]): PlantedBug {
  return { name, breaks, patches };
}
