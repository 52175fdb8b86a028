import type { MappingExplanation, PartReasons } from "../../../src/engine/engine.ts";
import type { BatchExplanation, StreamExplanation } from "../../../src/engine/explanation.ts";
import { laneOfKey } from "../../../src/engine/stream/lane-of-key.ts";
import type { Reason, ReasonCode } from "../../../src/model/reason.ts";
import type { Attempt, MappingHistory } from "../history.ts";
import type { QueueAttempt, QueueHistory } from "../queue-history.ts";
import { leaseKey } from "../world/lease-key.ts";
import { LISTS_KEPT, type SimProcess } from "../world/process.ts";
import type { SimDelivery } from "../world/queue-message.ts";

/** A reason that a process gives, beside what the world knows. */
export interface GivenReason {
  readonly process: SimProcess;
  readonly part: PartReasons;
  readonly reason: Reason;
  readonly explanation: MappingExplanation;
}

export interface TruthWorld {
  readonly historyOf: (uuid: string) => MappingHistory | undefined;
  readonly queueOf: (uuid: string) => QueueHistory | undefined;
  /** Faults of a kind have been, or an outage of it is planned: `store`, `destination`. */
  readonly wasHarmed: (component: string) => boolean;
  readonly leaseDurationMs: () => number;
}

/** Why it is not true; `undefined`: it is, or the world has no word on it. */
type Truth = (given: GivenReason, world: TruthWorld, uuid: string) => string | undefined;

/** An attempt is registered when its request has travelled, and timers come late. */
const TRAVEL_MS = 10_000;
/** As `Lease` counts it, less what the clocks' readings differ by. */
const LEASE_SHARE = 0.9;

/** The function returned, and its answer failed the batch. */
const ANSWERS: readonly ReasonCode[] = ["partialWithoutProgress", "malformedResponse", "windowStateMissing"];

const ALWAYS: Truth = () => undefined;
/**
 * Of a queue the reason is that of the messages that were left to it last, or of a batch that is tried again: their
 * last attempt that has ended did not settle them.
 */
const lastDeliveryFailed: Truth = ({ process, explanation, reason }, { queueOf }, uuid) => {
  const history = queueOf(uuid);
  // What no event can hold, or cannot be converted, fails without a call.
  if (explanation.kind !== "queue" || history === undefined || reason.code === "payloadTooLarge")
    return undefined;
  const left = explanation.failedMessages.findLast(({ againMs }) => againMs > process.clock.now());
  const tried = explanation.batches.filter(({ failure }) => failure === reason.code);
  const told = history.attempts.filter((each) => each.process === process && each.told !== undefined);
  const isOver = ({ told: outcome, toldSettled }: QueueAttempt, place: number) =>
    outcome === "succeeded" && toldSettled[place] === true;
  const isBatchOver = ({ requestId }: BatchExplanation) => {
    const last = told.findLast((each) => each.requestId === requestId);
    return last?.deliveries.every((_, place) => isOver(last, place)) === true;
  };
  // A queue may give a message twice: this delivery of it is meant.
  const isLeft = ({ messageId, receiveCount }: SimDelivery) =>
    messageId === left?.messageId && receiveCount === left.receiveCount;
  const isMessageOver = () => {
    const last = told.findLast(({ deliveries }) => deliveries.some(isLeft));
    return last !== undefined && isOver(last, last.deliveries.findIndex(isLeft));
  };
  const witnesses = [
    ...(left?.failure === reason.code ? [isMessageOver()] : []),
    ...tried.map((batch) => isBatchOver(batch)),
  ];
  return witnesses.length > 0 && witnesses.every((isOverNow) => isOverNow)
    ? "the last attempts of what is meant have settled it"
    : undefined;
};
/** The last attempt of the lane that has ended was of the part that is tried now, and came to what is said. */
const lastAttemptFailed: Truth = (given, world, uuid) => {
  if (given.explanation.kind === "queue") return lastDeliveryFailed(given, world, uuid);
  const batch = batchOf(given);
  const history = world.historyOf(uuid);
  const { code } = given.reason;
  // What no event can hold fails without a call; the last invocation of a window has no records to know it by.
  if (batch?.firstRecord === undefined || history === undefined || code === "payloadTooLarge")
    return undefined;
  const [shardId, lane] = given.part.part.split(" lane ");
  const { parallelizationFactor } = history.mapping;
  const isOfLane = ({ process, shard, records, told }: Attempt) => {
    const key = records[0]?.key;
    if (process !== given.process || shard.shardId !== shardId || told === undefined) return false;
    return (
      key !== undefined && laneOfKey(key, parallelizationFactor) === Number(lane) % parallelizationFactor
    );
  };
  const isOfPart = ({ records }: Attempt) => records.some(({ position }) => position === batch.firstRecord);
  // Beside it another version has the keys of its side.
  const isSided = history.plan.weights !== undefined;
  const last = history.attempts.findLast((each) => isOfLane(each) && (!isSided || isOfPart(each)));
  if (last === undefined) return "no attempt of the lane has ended";
  if (!isOfPart(last)) return "the last attempt of the lane was of another part";
  const isAnswer = ANSWERS.includes(code);
  if (isAnswer) return last.told === "succeeded" ? undefined : `the last attempt came to ${last.told}`;
  const isWhole = last.told === "succeeded" && last.toldProcessed.every((isDone) => isDone);
  return isWhole ? "the last attempt of that part succeeded" : undefined;
};
const readingFails: Truth = ({ process, part }, _world, uuid) =>
  process.reads.get(leaseKey(uuid, part.part)) === "worked" ? "the last read of the shard worked" : undefined;
const harmed =
  (...components: readonly string[]): Truth =>
  (_given, { wasHarmed }) =>
    components.some(wasHarmed) ? undefined : `nothing has happened to the ${components.join(" or the ")}`;

/**
 * S2: one predicate for each code. `ALWAYS`: it says what the engine has done itself and nobody else sees (what is
 * full, what is being filled, what is being handed over), or the world does not play it.
 */
const TRUTHS: Readonly<Partial<Record<ReasonCode, Truth>>> = {
  functionFails: lastAttemptFailed,
  functionTimesOut: lastAttemptFailed,
  functionThrottled: lastAttemptFailed,
  functionUnavailable: lastAttemptFailed,
  partialWithoutProgress: lastAttemptFailed,
  malformedResponse: lastAttemptFailed,
  windowStateMissing: lastAttemptFailed,
  payloadTooLarge: lastAttemptFailed,
  functionRuns: (given, world, uuid) => {
    const batch = batchOf(given);
    const history = world.historyOf(uuid);
    if (batch === undefined || history === undefined) return undefined;
    const { process, reason } = given;
    if (process.clock.now() - (reason.sinceMs ?? 0) < TRAVEL_MS) return undefined;
    const isUnderWay = history.attempts.some(
      (each) => each.process === process && each.requestId === batch.requestId && each.toldAt === undefined,
    );
    return isUnderWay ? undefined : "no call of that part is under way";
  },
  sourceThrottled: readingFails,
  sourceUnavailable: readingFails,
  sourceDenied: readingFails,
  sourceGone: readingFails,
  destinationUnavailable: harmed("destination"),
  destinationRejected: harmed("destination"),
  // A process that stood still, or whose timers come late, has written nothing for as long.
  checkpointFails: harmed("store", "checkpoints", "pause", "timer late"),
  storeUnavailable: harmed("store"),
  trimmedGap: (_given, { historyOf }, uuid) =>
    // What goes with a stream that is made anew is trimmed, too.
    historyOf(uuid)?.stream.shards.every(
      ({ trimmedAt, goneAt }) => trimmedAt.length === 0 && goneAt === undefined,
    )
      ? "nothing was trimmed"
      : undefined,
  waitsForParent: (given, world, uuid) => parentsTruth(given, world, uuid),
  waitsForLease: ({ process, part, reason }, _world, uuid) =>
    ownersTold(process, uuid, part.part).includes(String(reason.facts["owner"]))
      ? undefined
      : "the process was told of no such owner",
  unowned: ({ process, part }, _world, uuid) =>
    ownersTold(process, uuid, part.part).some((owner) => owner === "nobody" || owner === process.owner)
      ? undefined
      : "the process was told of an owner",
  leaseNotRenewed: ({ process, part }, { leaseDurationMs }, uuid) => {
    const lease = process.leases.get(leaseKey(uuid, shardOf(part.part)));
    if (lease === undefined) return undefined;
    const aloneMs = process.localMs() - lease.confirmedLocalMs;
    return aloneMs >= leaseDurationMs() * LEASE_SHARE - 1 ? undefined : `it was renewed ${aloneMs} ms ago`;
  },
};

export function untruthOf(given: GivenReason, world: TruthWorld, uuid: string): string | undefined {
  return (TRUTHS[given.reason.code] ?? ALWAYS)(given, world, uuid);
}

/** By what the process was last told of the rows: a parent that had ended then is waited for no more. */
function parentsTruth(
  { process, reason }: GivenReason,
  { historyOf }: TruthWorld,
  uuid: string,
): string | undefined {
  const { parents } = reason.facts;
  const told = process.listed.get(uuid) ?? [];
  // A look may list twice, and fail in between.
  if (typeof parents !== "string" || told.length < LISTS_KEPT) return undefined;
  const stream = historyOf(uuid)?.stream;
  // Where shards are made anew under their names an ended parent may be another one by now.
  if (stream?.shards.some(({ life }) => life > 0) === true) return undefined;
  const open = parents.split(", ").filter((parentId) => {
    return told.some((rows) => {
      const checkpoint = rows.find(({ shardId }) => shardId === parentId)?.checkpoint;
      return checkpoint === undefined || !checkpoint.ended || checkpoint.logId !== undefined;
    });
  });
  return open.length > 0 ? undefined : `${parents} had ended by what the process was told`;
}

/** As its last lists had it: a look may list twice, and fail in between. */
function ownersTold({ listed }: SimProcess, uuid: string, wanted: string): readonly string[] {
  const rows = listed.get(uuid)?.map((told) => told.find(({ shardId }) => shardId === wanted)) ?? [];
  return rows.map((row) => row?.owner ?? "nobody");
}

/** What a lane works on; what a queue has is not divided. */
function batchOf({ part, explanation }: GivenReason): BatchExplanation | undefined {
  if (explanation.kind === "queue") return undefined;
  return laneOf(part.part, explanation)?.batch;
}

function laneOf(part: string, { shards }: StreamExplanation) {
  const [shardId, lane] = part.split(" lane ");
  const shard = shards.find((each) => each.shardId === shardId);
  return shard?.lanes.find((each) => each.lane === Number(lane));
}

function shardOf(part: string): string {
  return part.split(" lane ", 1)[0] ?? part;
}
