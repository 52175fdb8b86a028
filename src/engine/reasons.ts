import { isNoReason, NO_SHARDS, type Reason, reason } from "../model/reason.ts";
import { type BatchSurroundings, batchReason, LATE_MS } from "./batch-reasons.ts";
import type {
  LaneExplanation,
  MappingExplanation,
  OtherShard,
  ShardExplanation,
  StreamExplanation,
} from "./explanation.ts";
import { filterReason, lookReason, type PartReasons, readFailureReason } from "./part-reasons.ts";
import { queueReasons } from "./queue-reasons.ts";

export type { PartReasons } from "./part-reasons.ts";

/** A part that holds work and has brought nothing to an end for so long stands still (S1). */
export const STANDSTILL_MS = 30_000;
/** How long records that the source trimmed before they were read are told of. */
const GAP_TOLD_MS = 600_000;
/** Another process may be about to take it. */
const UNOWNED_MS = 5_000;

/**
 * Reasons of each part that holds work; of one that holds none, that. Pure: what the engine says of itself, and the
 * time.
 */
export function reasonsOf(explanation: MappingExplanation, nowMs: number): readonly PartReasons[] {
  if (explanation.kind === "queue") return [queueReasons(explanation, nowMs)];
  const { function: fn, destination, shards, others = [] } = explanation;
  const around = { fn, destination, nowMs };
  const lanes = shards.map((shard) => laneParts(shard, around));
  const heldUp = lanes.flat().find(({ reasons }) => isGiven(reasons))?.part;
  return [
    ...wholeReasons(explanation),
    ...shards.flatMap((shard, index) => shardReasons(shard, lanes[index] ?? [], heldUp, nowMs)),
    ...others.flatMap((other) => otherReasons(other, nowMs)),
  ];
}

/** The part of reasons that are of no single shard. */
export const ALL_SHARDS = "all shards";

function wholeReasons({
  looking,
  division,
  destination,
  shards,
  listed,
}: StreamExplanation): readonly PartReasons[] {
  const reasons = [
    ...lookReason(looking),
    ...rejectionReason(destination),
    ...divisionReason(division, shards.length),
  ];
  if (reasons.length === 0) return [];
  const progress = shards.map(({ settledRecords }) => settledRecords).join();
  // Nobody knows what shards hold that were never listed.
  const holdsWork = looking !== undefined && (shards.length === 0 || listed === undefined);
  return [{ part: ALL_SHARDS, holdsWork, progress, reasons }];
}

function rejectionReason(destination: StreamExplanation["destination"]): readonly Reason[] {
  const { rejectedRecords = 0, lastProblem } = destination ?? {};
  if (rejectedRecords === 0) return [];
  const facts = { records: rejectedRecords, ...(lastProblem === undefined ? {} : { problem: lastProblem }) };
  return [reason("destinationRejected", { facts })];
}

function divisionReason(division: StreamExplanation["division"], held: number): readonly Reason[] {
  if (division === undefined) return [];
  const { kind, sinceMs } = division;
  if (kind === "dividing") return [reason("groupRebalancing", { sinceMs })];
  return held === 0 ? [reason(NO_SHARDS, { sinceMs })] : [];
}

function otherReasons({ shardId, why, sinceMs }: OtherShard, nowMs: number): readonly PartReasons[] {
  const told = otherReason(why, sinceMs, nowMs);
  // Whether it holds work its source knows, and who reads it: nobody does.
  return told === undefined ? [] : [{ part: shardId, holdsWork: false, progress: "", reasons: [told] }];
}

function otherReason(why: OtherShard["why"], sinceMs: number, nowMs: number): Reason | undefined {
  switch (why.kind) {
    case "parents":
      return reason("waitsForParent", { sinceMs, facts: { parents: why.parents.join(", ") } });
    case "lease":
      return reason("waitsForLease", { sinceMs, untilMs: why.untilMs, facts: { owner: why.owner } });
    case "handover":
      return reason("handingOver", { sinceMs, facts: { to: why.to } });
    case "unowned":
      return nowMs - sinceMs > UNOWNED_MS ? reason("unowned", { sinceMs }) : undefined;
  }
}

/** Lanes of a shard, and why each is where it is. */
function laneParts(shard: ShardExplanation, around: BatchSurroundings): readonly PartReasons[] {
  return shard.lanes.map((lane) => ({
    part: `${shard.shardId} lane ${lane.lane}`,
    holdsWork: lane.batch !== undefined || lane.waitingRecords > 0,
    progress: laneProgress(lane, shard),
    reasons: [laneReason(lane, shard, around)],
  }));
}

/** `heldElsewhere`: a lane of any shard of the mapping that says why it does not go on. */
function shardReasons(
  shard: ShardExplanation,
  ofLanes: readonly PartReasons[],
  heldElsewhere: string | undefined,
  nowMs: number,
): readonly PartReasons[] {
  const { shardId, settled, passedOverRecords } = shard;
  const place = settled.kind === "after" ? settled.position : settled.kind;
  const progress = `${place} ${passedOverRecords} ${shard.settledRecords}`;
  const heldUp = ofLanes.find(({ reasons }) => isGiven(reasons));
  const reading = readingReason(shard, heldUp?.part ?? heldElsewhere, nowMs);
  const ofShard = [...ownReasons(shard, nowMs), reading];
  const isBehind = (shard.lagMs ?? 0) > 0 || (shard.offsetLag ?? 0) > 0 || shard.readFailures !== undefined;
  // What is read waits in lanes: where they say why it does, and reading goes well, there is nothing more to explain.
  // plant: a-shard-whose-lanes-are-held-up-cannot-say-why
  const isSaidByLanes = !isGiven(ofShard) && heldUp !== undefined;
  const isWork = !shard.caughtUp && !isSaidByLanes && (shard.bufferedRecords > 0 || isBehind);
  // Nobody knows what a source has that does not answer.
  const holdsWork =
    isWork || (reading.code === "sourceSilent" && nowMs - (reading.sinceMs ?? nowMs) > STANDSTILL_MS);
  return [{ part: shardId, holdsWork, progress, reasons: ofShard }, ...ofLanes];
}

function isGiven(reasons: readonly Reason[]): boolean {
  return reasons.some(({ code }) => !isNoReason(code));
}

/** What is said of the shard beside its reading. */
function ownReasons(shard: ShardExplanation, nowMs: number): readonly Reason[] {
  const { isLeaseLive, checkpointFailures, handingTo, trimmedMs, filteredOut, skippingRecords = 0 } = shard;
  const isGapTold = trimmedMs !== undefined && nowMs - trimmedMs < GAP_TOLD_MS;
  return [
    ...(isLeaseLive ? [] : [reason("leaseNotRenewed")]),
    ...(checkpointFailures === undefined
      ? []
      : [reason("checkpointFails", { facts: { failures: checkpointFailures } })]),
    ...(handingTo === undefined ? [] : [reason("handingOver", { facts: { to: handingTo } })]),
    ...(isGapTold ? [reason("trimmedGap", { sinceMs: trimmedMs })] : []),
    ...(skippingRecords > 0 ? [reason("skippingSettled", { facts: { records: skippingRecords } })] : []),
    ...filterReason(filteredOut, nowMs),
  ];
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

function readingReason(shard: ShardExplanation, heldUp: string | undefined, nowMs: number): Reason {
  const { reading, readFailures, readingNow, caughtUp, lagMs, offsetLag, bufferedRecords } = shard;
  switch (reading) {
    case "stopped":
      // plant: a-shard-that-is-drained-says-that-it-goes-on
      return reason("stopping");
    case "failing":
      return readFailures === undefined ? reason("progressing") : readFailureReason(readFailures, undefined);
    case "full":
      return fullReason(shard, heldUp);
    case "atEnd":
      // Its last checkpoint is on its way; one that fails is told beside this.
      return shard.ended || shard.lanes.length > 0 || nowMs - readingNow.sinceMs <= LATE_MS
        ? reason("progressing")
        : reason("checkpointFails", { sinceMs: readingNow.sinceMs });
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

/** It points to who holds what is full (S3). */
function fullReason(
  { fullBy, bufferedRecords, bufferedBytes }: ShardExplanation,
  heldUp: string | undefined,
): Reason {
  // plant: what-is-full-points-to-itself
  // plant: what-is-full-points-to-nobody
  const cause = heldUp === undefined ? {} : { cause: heldUp };
  const facts = { records: bufferedRecords, bytes: bufferedBytes, ...cause };
  switch (fullBy?.kind) {
    case "mapping":
      return reason("budgetTaken", { facts: { ...facts, of: "mapping" } });
    case "process":
      return reason("budgetTaken", {
        facts: { ...facts, of: "process", mapping: fullBy.mapping, cause: fullBy.mapping },
      });
    case "shard":
    case undefined:
      return reason("readingFull", { facts });
  }
}

function laneReason(lane: LaneExplanation, shard: ShardExplanation, around: BatchSurroundings): Reason {
  const { waitingRecords, fillingUntilMs, idleSinceMs } = lane;
  const { nowMs } = around;
  // plant: a-lane-that-waits-for-its-other-versions-says-nothing
  const batch = lane.batch ?? lane.waitsFor;
  // It looks again a moment after the lease is renewed.
  if (batch?.doing === "leaseless" && shard.isLeaseLive) return reason("progressing");
  if (batch !== undefined) return batchReason(batch, around);
  if (shard.reading === "stopped") return reason("stopping");
  if (fillingUntilMs !== undefined && fillingUntilMs + LATE_MS > nowMs)
    return reason("fillingBatch", { untilMs: fillingUntilMs });
  if (waitingRecords === 0) return reason("windowOpen");
  const isForgotten = nowMs - Math.max(idleSinceMs, fillingUntilMs ?? idleSinceMs) > LATE_MS;
  return isForgotten
    ? reason("unknown", { facts: { of: "lane", records: waitingRecords } })
    : reason("progressing");
}
