import { maximumOf } from "../../../../src/engine/queue/batch-scaling.ts";
import type { QueueAttempt } from "../../queue-history.ts";
import type { SimProcess } from "../../world/process.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/** Timers are late by up to a millisecond, and clocks drift. */
const TICK_MS = 25;
/** Until a batch that ended is settled, and its place and groups are free: one call. */
const SETTLE_MS = 50;

/**
 * A batch has at most BatchSize messages and the payload limit; where nothing fails one that is not full has waited its
 * window, and no message waits longer while there is a free place and its group is free.
 */
export const batches: QueueChecker = {
  id: "I13",
  title: "window and size",
  check(trial) {
    const { queue, history, report } = trial;
    const { settings, flavour } = history.scenario;
    const { batchSize } = queue.mapping;
    for (const { id, deliveries, payloadBytes, startedAt } of queue.attempts) {
      if (deliveries.length > batchSize) {
        report(startedAt, `attempt ${id} has ${deliveries.length} messages, not ${batchSize}`);
      }
      if (payloadBytes > settings.payloadBytesMax && deliveries.length > 1) {
        report(startedAt, `attempt ${id} has ${payloadBytes} bytes`);
      }
    }
    const isPlain = flavour === "calm" || flavour === "graceful";
    // Of a maximum that is shared a process may have nothing.
    const isShared = history.processes.length > 1 && maximumOf(queue.mapping) !== undefined;
    if (isPlain && !isShared && settings.mappingBudgetBytes >= 1_000_000) checkWaits(trial);
  },
};

interface Places {
  running: number;
  /** When batches ended that may not be settled yet. */
  ended: number[];
  /** When fewer ran last than may always run. */
  freeAt: number;
  readonly groupFreeAt: Map<string, number>;
}

function checkWaits(trial: QueueTrial): void {
  const { queue } = trial;
  const { concurrencyMax, provisionedPollers } = queue.mapping;
  const always =
    provisionedPollers === undefined ? Math.min(2, concurrencyMax ?? 2) : provisionedPollers.min * 10;
  const placesOf = new Map<SimProcess, Places>();
  for (const event of queue.events) {
    if (event.kind !== "attemptStarted" && event.kind !== "attemptTold") continue;
    const places = placesOf.get(event.process) ?? {
      running: 0,
      ended: [],
      freeAt: 0,
      groupFreeAt: new Map(),
    };
    placesOf.set(event.process, places);
    places.ended = places.ended.filter((endedAt) => endedAt > event.at - SETTLE_MS);
    if (event.kind === "attemptStarted") {
      if (places.running + places.ended.length >= always) places.freeAt = event.at;
      checkWait(trial, event.attempt, places);
      places.running++;
      continue;
    }
    if (places.running + places.ended.length >= always) places.freeAt = event.at + SETTLE_MS;
    places.running--;
    places.ended.push(event.at);
    for (const { sent } of event.attempt.deliveries)
      places.groupFreeAt.set(sent.groupId, event.at + SETTLE_MS);
  }
}

function checkWait({ queue, report }: QueueTrial, attempt: QueueAttempt, places: Places): void {
  const { batchSize, batchingWindowMs } = queue.mapping;
  const { deliveries, startedAt, id } = attempt;
  const deliveredAt = deliveries.map((delivery) => delivery.deliveredAt ?? 0);
  const oldest = Math.min(...deliveredAt);
  if (startedAt >= (attempt.process.stopCalledAt ?? Number.POSITIVE_INFINITY)) return;
  if (deliveries.length < batchSize && startedAt - oldest < batchingWindowMs - TICK_MS) {
    report(startedAt, `attempt ${id} did not wait for its batching window of ${batchingWindowMs} ms`);
  }
  const freeAt = Math.max(
    places.freeAt,
    ...(queue.plan.isFifo ? deliveries.map(({ sent }) => places.groupFreeAt.get(sent.groupId) ?? 0) : []),
  );
  const waitedMs = startedAt - Math.max(oldest + batchingWindowMs, freeAt);
  if (waitedMs > TICK_MS) report(startedAt, `attempt ${id} waited ${Math.round(waitedMs)} ms for nothing`);
}
