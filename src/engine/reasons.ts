import type { Fault } from "../model/errors.ts";
import { isNoReason, type Reason, reason } from "../model/reason.ts";
import type {
  BatchExplanation,
  LaneExplanation,
  MappingExplanation,
  QueueExplanation,
  ShardExplanation,
} from "./explanation.ts";

/** Why one part of a mapping is where it is. A part has several when several things are in its way. */
export interface PartReasons {
  /** `shard-1`, `shard-1 lane 0`, `queue`: what people and alerts name it by. */
  readonly part: string;
  /** There is something to bring to an end, as far as this process knows. */
  readonly holdsWork: boolean;
  /** As long as it stays as it is the part has brought nothing to an end. */
  readonly progress: string;
  readonly reasons: readonly Reason[];
}

/**
 * How far behind its moment anything may be before it counts as forgotten: timers come late on a busy machine, a call
 * is under way for as long as its deadline. Below `STANDSTILL_MS`, so that what was forgotten is known when it is
 * judged.
 */
const LATE_MS = 10_000;
/** A part that holds work and has brought nothing to an end for so long stands still (I24). */
export const STANDSTILL_MS = 30_000;

/**
 * Reasons of each part that holds work; of one that holds none, that. Pure: what the engine says of itself, and the
 * time.
 */
export function reasonsOf(explanation: MappingExplanation, nowMs: number): readonly PartReasons[] {
  if (explanation.kind === "queue") return [queueReasons(explanation, nowMs)];
  return explanation.shards.flatMap((shard) => shardReasons(shard, explanation.function.timeoutMs, nowMs));
}

function shardReasons(shard: ShardExplanation, timeoutMs: number, nowMs: number): readonly PartReasons[] {
  const { shardId, settled, lanes, passedOverRecords } = shard;
  const place = settled.kind === "after" ? settled.position : settled.kind;
  const progress = `${place} ${passedOverRecords} ${shard.settledRecords}`;
  const reading = readingReason(shard, nowMs);
  const ofShard = [
    ...(shard.isLeaseLive ? [] : [reason("leaseNotRenewed")]),
    ...(shard.checkpointFailures === undefined
      ? []
      : [reason("checkpointFails", { facts: { failures: shard.checkpointFailures } })]),
    reading,
  ];
  const ofLanes = lanes.map((lane) => ({
    part: `${shardId} lane ${lane.lane}`,
    holdsWork: lane.batch !== undefined || lane.waitingRecords > 0,
    progress: laneProgress(lane, shard),
    reasons: [laneReason(lane, shard, timeoutMs, nowMs)],
  }));
  const isBehind = (shard.lagMs ?? 0) > 0 || (shard.offsetLag ?? 0) > 0 || shard.readFailures !== undefined;
  // What is read waits in lanes: where they say why it does, and reading goes well, there is nothing more to explain.
  // plant: a-shard-whose-lanes-are-held-up-cannot-say-why
  const isSaidByLanes = !isGiven(ofShard) && ofLanes.some(({ reasons }) => isGiven(reasons));
  const isWork = !shard.caughtUp && !isSaidByLanes && (shard.bufferedRecords > 0 || isBehind);
  // Nobody knows what a source has that does not answer.
  const holdsWork =
    isWork || (reading.code === "sourceSilent" && nowMs - (reading.sinceMs ?? nowMs) > STANDSTILL_MS);
  return [{ part: shardId, holdsWork, progress, reasons: ofShard }, ...ofLanes];
}

function isGiven(reasons: readonly Reason[]): boolean {
  return reasons.some(({ code }) => !isNoReason(code));
}

/** The first record that is not at its end. Attempts are no progress. */
function laneProgress(
  { batch, waitingRecords }: LaneExplanation,
  { settledRecords }: ShardExplanation,
): string {
  return batch === undefined
    ? `${settledRecords} ${waitingRecords}`
    : `${batch.firstRecord} ${batch.laterRecords} ${batch.records}`;
}

function readingReason(shard: ShardExplanation, nowMs: number): Reason {
  const { reading, readFailures, readingNow, caughtUp, lagMs, offsetLag, bufferedRecords } = shard;
  switch (reading) {
    case "stopped":
      return reason("stopping");
    case "failing":
      return failing(readFailures?.fault, readFailures?.count ?? 0, readFailures?.lastProblem ?? "");
    case "full":
      return reason("readingFull", { facts: { records: shard.bufferedRecords, bytes: shard.bufferedBytes } });
    case "atEnd":
      return reason(shard.ended || shard.lanes.length > 0 ? "progressing" : "checkpointFails");
    case "reading":
      break;
  }
  const { doing, sinceMs, untilMs } = readingNow;
  if (doing === "waitingForParents") return reason("waitsForParent", { sinceMs });
  if (doing === "asking" && nowMs - sinceMs > (caughtUp ? STANDSTILL_MS : LATE_MS))
    return reason("sourceSilent", { sinceMs });
  if (doing === "nothing" && nowMs - sinceMs > LATE_MS)
    return reason("unknown", { sinceMs, facts: { of: "reading" } });
  if (doing === "pausing" && nowMs - untilMs > LATE_MS)
    return reason("unknown", { sinceMs, untilMs, facts: { of: "reading" } });
  // All that it gives was read, and there is more: what is not committed yet, and holds up what stands behind it.
  // plant: what-a-source-holds-back-cannot-be-explained
  if (!caughtUp && lagMs === 0 && bufferedRecords === 0 && (offsetLag ?? 0) > 0)
    return reason("sourceHoldsBack", { facts: { records: offsetLag ?? 0 } });
  return reason(caughtUp ? "caughtUp" : "progressing");
}

function failing(fault: Fault | undefined, count: number, problem: string): Reason {
  const facts = { failures: count, problem };
  switch (fault) {
    case "throttled":
      return reason("sourceThrottled", { facts });
    case "denied":
    case "credentials":
    case "credentialsExpired":
      return reason("sourceDenied", { facts });
    case "notFound":
      return reason("sourceGone", { facts });
    case "defect":
    case "refused":
    case "clock":
    case "passing":
    case undefined:
      return reason("sourceUnavailable", { facts });
  }
}

function laneReason(
  lane: LaneExplanation,
  shard: ShardExplanation,
  timeoutMs: number,
  nowMs: number,
): Reason {
  const { batch, waitingRecords, fillingUntilMs, idleSinceMs } = lane;
  if (batch !== undefined) return batchReason(batch, timeoutMs, nowMs);
  if (shard.reading === "stopped") return reason("stopping");
  if (fillingUntilMs !== undefined && fillingUntilMs + LATE_MS > nowMs)
    return reason("fillingBatch", { untilMs: fillingUntilMs });
  if (waitingRecords === 0) return reason("windowOpen");
  const isForgotten = nowMs - Math.max(idleSinceMs, fillingUntilMs ?? idleSinceMs) > LATE_MS;
  return isForgotten
    ? reason("unknown", { facts: { of: "lane", records: waitingRecords } })
    : reason("progressing");
}

function batchReason(batch: BatchExplanation, timeoutMs: number, nowMs: number): Reason {
  const { doing, sinceMs, nextAttemptMs, attempts, lastProblem } = batch;
  const facts = { attempts, ...(lastProblem === undefined ? {} : { problem: lastProblem }) };
  switch (doing) {
    case "starting":
      return nowMs - sinceMs > LATE_MS
        ? reason("unknown", { sinceMs, facts: { of: "batch" } })
        : reason("progressing");
    case "queued":
      return reason("atConcurrency", { sinceMs });
    case "invoking": {
      const untilMs = sinceMs + timeoutMs;
      if (nowMs - untilMs > LATE_MS) return reason("unknown", { sinceMs, facts: { of: "invocation" } });
      return lastProblem === undefined
        ? reason("functionRuns", { sinceMs, untilMs })
        : reason("functionFails", { sinceMs, facts });
    }
    case "pausing":
      if (nextAttemptMs === undefined || nowMs - nextAttemptMs > LATE_MS)
        return reason("unknown", { sinceMs, untilMs: nextAttemptMs, facts: { of: "retry" } });
      return reason("functionFails", { sinceMs, untilMs: nextAttemptMs, facts });
    case "leaseless":
      return reason("leaseNotRenewed", { sinceMs });
    case "undurable":
      return reason("checkpointFails", { sinceMs });
    case "settling":
      if (nowMs - sinceMs <= LATE_MS) return reason("progressing");
      return reason("sourceUnavailable", {
        sinceMs,
        facts: { problem: "what is done is not taken off the queue" },
      });
    case "discarding":
      return reason("destinationUnavailable", { sinceMs, facts });
  }
}

/** One part: what a queue holds is not divided. */
function queueReasons(queue: QueueExplanation, nowMs: number): PartReasons {
  const { batches, waitingMessages, receiving, batchesMax, runningBatches, failedMessages, settledMessages } =
    queue;
  const { receives, failures, nextMs } = receiving;
  const ofBatches = batches.map((batch) => batchReason(batch, queue.function.timeoutMs, nowMs));
  const reasons: Reason[] = [...ofBatches];
  if (queue.isStopping) reasons.push(reason("stopping"));
  else if (failures !== undefined)
    reasons.push(failing(failures.fault, failures.count, failures.lastProblem));
  else if (batchesMax === 0) reasons.push(reason("waitsForPlace"));
  else if (receives > 0) reasons.push(reason("progressing"));
  else if (runningBatches > 0 || waitingMessages > 0 || queue.settling > 0)
    reasons.push(reason("readingFull", { facts: { records: waitingMessages } }));
  else reasons.push(reason("unknown", { facts: { of: "receiving" } }));
  const isLost =
    failures !== undefined && receives === 0 && nowMs - (nextMs ?? receiving.idleSinceMs) > LATE_MS;
  if (isLost) reasons.push(reason("unknown", { untilMs: nextMs, facts: { of: "receiving" } }));
  if (waitingMessages > 0 && !queue.isStopping) reasons.push(waitingReason(queue, nowMs));
  const hiddenUntilMs = Math.max(...failedMessages.map(({ againMs }) => againMs));
  if (failedMessages.length > 0 && hiddenUntilMs > nowMs)
    reasons.push(
      reason("messagesHidden", { untilMs: hiddenUntilMs, facts: { messages: failedMessages.length } }),
    );
  const holdsWork = batches.length > 0 || waitingMessages > 0 || failures !== undefined;
  return { part: "queue", holdsWork, progress: String(settledMessages), reasons };
}

function waitingReason(
  { fillingUntilMs, batchesMax, runningBatches }: QueueExplanation,
  nowMs: number,
): Reason {
  if (runningBatches >= batchesMax)
    return reason("waitsForPlace", { facts: { running: runningBatches, most: batchesMax } });
  if (fillingUntilMs === undefined) return reason("groupBusy");
  if (fillingUntilMs + LATE_MS > nowMs) return reason("fillingBatch", { untilMs: fillingUntilMs });
  return reason("unknown", { untilMs: fillingUntilMs, facts: { of: "messages" } });
}
