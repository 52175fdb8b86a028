import type { SimShard } from "../world/stream.ts";
import type { Checker, Trial } from "./checker.ts";

/** Timers are late by up to a millisecond, clocks drift, and several timers may stand in a row. */
const TICK_MS = 25;

/**
 * A batch has at most BatchSize records and the payload limit; and where nothing else fails and a shard is one lane, no
 * record waits longer for its first attempt than its batching window once it is read and the lane is free.
 */
export const batches: Checker = {
  id: "I13",
  title: "window and size",
  check(trial) {
    const { mapping, history, report } = trial;
    for (const { id, records, payloadBytes, startedAt } of mapping.attempts) {
      if (records.length > mapping.mapping.batchSize) {
        report(startedAt, `attempt ${id} has ${records.length} records, not ${mapping.mapping.batchSize}`);
      }
      if (payloadBytes > history.scenario.settings.payloadBytesMax)
        report(startedAt, `attempt ${id} has ${payloadBytes} bytes`);
    }
    const { parallelizationFactor } = mapping.mapping;
    const concurrency = history.scenario.mappings[mapping.ordinal]?.fn.concurrency ?? 0;
    const isPlain = history.scenario.flavour === "calm" || history.scenario.flavour === "graceful";
    if (!isPlain || parallelizationFactor > 1 || concurrency < 1_000) return;
    checkWaits(trial);
    const { shardWindowRecords, mappingBudgetBytes } = history.scenario.settings;
    const hasPressure = shardWindowRecords < 5_000 || mappingBudgetBytes < 1_000_000;
    if (hasPressure || mapping.mapping.tumblingWindowMs > 0) return;
    if (mapping.isTopic) checkTopicPatience(trial);
    else checkPatience(trial);
  },
};

/** A batch that is not full waits a whole window from the end of the one before it, unless nothing more can come. */
function checkPatience({ mapping, report }: Trial): void {
  const { batchSize, batchingWindowMs } = mapping.mapping;
  const freeAt = new Map<string, number>();
  for (const event of mapping.events) {
    if (event.kind !== "attemptStarted" && event.kind !== "attemptTold") continue;
    const { attempt } = event;
    const ownership = `${attempt.shard.ordinal}/${attempt.epoch}`;
    if (event.kind === "attemptTold") {
      freeAt.set(ownership, event.at);
      continue;
    }
    const since = freeAt.get(ownership);
    if (since === undefined || attempt.records.length >= batchSize || attempt.shard.closedAt !== undefined)
      continue;
    if (event.at - since >= batchingWindowMs - TICK_MS) continue;
    report(event.at, `attempt ${attempt.id} did not wait for its batching window of ${batchingWindowMs} ms`);
  }
}

/** A window opens with its batch's first record, whatever came before (queues §1.3). */
function checkTopicPatience({ mapping, report }: Trial): void {
  const { batchSize, batchingWindowMs } = mapping.mapping;
  const readAt = new Map<SimShard, Float64Array>();
  for (const event of mapping.events) {
    if (event.kind === "readReturned") {
      const times = readAt.get(event.shard) ?? new Float64Array(event.shard.records.length);
      readAt.set(event.shard, times);
      times.fill(event.at, event.from, event.to);
    } else if (event.kind === "attemptStarted") {
      const { id, records, shard, requestId } = event.attempt;
      const first = records[0];
      if (first === undefined || records.length >= batchSize || shard.closedAt !== undefined) continue;
      const waitedMs = event.at - (readAt.get(shard)?.[first.index] ?? 0);
      if (waitedMs >= batchingWindowMs - TICK_MS) continue;
      report(event.at, `attempt ${id} (${requestId}) did not wait for its window of ${batchingWindowMs} ms`);
    }
  }
}

function checkWaits({ mapping, report }: Trial): void {
  const readAt = new Map<SimShard, Float64Array>();
  const freeAt = new Map<SimShard, number>();
  const started = new Set<number>();
  for (const event of mapping.events) {
    if (event.kind === "readReturned") {
      const times = readAt.get(event.shard) ?? new Float64Array(event.shard.records.length);
      readAt.set(event.shard, times);
      times.fill(event.at, event.from, event.to);
    } else if (event.kind === "attemptTold") {
      freeAt.set(event.attempt.shard, event.at);
    } else if (event.kind === "attemptStarted") {
      const first = event.attempt.records[0];
      if (first === undefined || started.has(first.id)) continue;
      for (const record of event.attempt.records) started.add(record.id);
      const since = Math.max(readAt.get(first.shard)?.[first.index] ?? 0, freeAt.get(first.shard) ?? 0);
      const waitedMs = event.at - since;
      if (waitedMs > mapping.mapping.batchingWindowMs + TICK_MS) {
        report(event.at, `record ${first.position} waited ${Math.round(waitedMs)} ms for its batch`);
      }
    }
  }
}
