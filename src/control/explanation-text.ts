import type {
  BatchDoing,
  BatchExplanation,
  FunctionExplanation,
  LaneExplanation,
  QueueExplanation,
  ShardExplanation,
  TenantsExplanation,
} from "../engine/engine.ts";
import { reason } from "../model/reason.ts";
import type { StartPoint } from "../model/record.ts";
import { errorLines } from "./error-text.ts";
import type { ExplainedMapping, ExplainedShard } from "./explained-mapping.ts";
import { remedyOf } from "./remedies.ts";

const INDENT = "  ";

/** What `explain` says to people: the mapping, and of each part how far it is and what it waits for. */
export function explanationLines(explained: ExplainedMapping, part: string | undefined): readonly string[] {
  const { shards, queue, nowMs } = explained;
  const parts = queue === undefined ? shards.flatMap((shard) => shardLines(shard, explained)) : [];
  const isElsewhere = queue === undefined && part !== undefined && shards.length === 0;
  return [
    ...mappingLines(explained),
    ...errorLines(explained.errors),
    ...parts,
    ...(isElsewhere ? [`${INDENT}Nothing of ${part} is in the hands of this process.`] : []),
    ...(queue === undefined ? [] : queueLines(queue, part, nowMs)),
  ];
}

function mappingLines(explained: ExplainedMapping): readonly string[] {
  const { name, uuid, state, source, lastProcessingResult, isRunningHere, totals, hasFilter, problem } =
    explained;
  const label = name === uuid ? uuid : `${name} (${uuid})`;
  return [
    // AWS's text tells how the last call went, and not how the mapping is: it may be fine again.
    `${label}: ${state}, last result: ${lastProcessingResult}`,
    `${INDENT}source: ${source}`,
    ...(explained.function === undefined ? [] : [`${INDENT}${functionText(explained.function)}`]),
    ...(problem === undefined
      ? []
      : [`${INDENT}CANNOT START: ${problem}`, `${INDENT}It is tried again every few seconds.`]),
    ...(isRunningHere ? [] : [`${INDENT}It does not run in this process.`]),
    ...(totals === undefined ? [] : [`${INDENT}since this process began: ${totalsText(totals, hasFilter)}`]),
  ];
}

function totalsText(totals: NonNullable<ExplainedMapping["totals"]>, hasFilter: boolean): string {
  const texts = [
    `${totals.polled_events} read`,
    ...(hasFilter ? [`${totals.filtered_out_events} dropped by the filter`] : []),
    `${totals.dropped_events} given up without a destination`,
    `${totals.on_failure_destination_delivered_events} handed to the failure destination`,
  ];
  return texts.join(", ");
}

function functionText({ name, share, shut, account, ...slots }: FunctionExplanation): string {
  if (shut !== undefined) return `function ${name}: NOTHING STARTS: ${remedyOf(reason(shut)).says}`;
  const { limit, running, waiting, ownRunning, ownWaiting } = slots;
  const bound = boundText(slots) + (share === undefined ? "" : ` ${shareText(share)}`);
  const isFull = running >= limit;
  const others = running > ownRunning ? `, ${ownRunning} of them this mapping's` : "";
  const queued =
    waiting === 0 ? "" : `; ${waiting} batches wait for their turn, ${ownWaiting} of them this mapping's`;
  return `function ${name}: ${running} of at most ${bound} invocations run${others}${isFull ? ": AT ITS CONCURRENCY" : ""}${queued}${accountText(account)}`;
}

function accountText(account: FunctionExplanation["account"]): string {
  if (account === undefined) return "";
  const { running, limit } = account;
  return `; ALL UNRESERVED PLACES ARE TAKEN (${running} of ${limit}, by functions that reserve none)`;
}

function boundText({ limit, concurrency }: Pick<FunctionExplanation, "limit" | "concurrency">): string {
  return limit < concurrency ? `${limit} for now (of ${concurrency})` : String(limit);
}

function shareText(share: NonNullable<FunctionExplanation["share"]>): string {
  const { limit, granted, processes, isCutOff } = share;
  if (isCutOff) return "(THE STORE IS OUT OF REACH: nothing starts until it answers)";
  return `(${granted} of the ${limit} of all processes are granted to this one; ${processes} have or want some)`;
}

function shardLines(shard: ExplainedShard, { nowMs, state, hasFilter }: ExplainedMapping): readonly string[] {
  const { here } = shard;
  const lines = [
    ownerText(shard),
    `settled: ${pointText(here?.settled ?? shard.checkpoint)}`,
    ...(here === undefined ? whyNotHere(shard, state) : aheadLines(here, hasFilter)),
    ...(here?.lanes ?? []).map((lane) => laneText(lane, nowMs)),
  ];
  return ["", shard.shardId, ...lines.map((line) => INDENT + line)];
}

function ownerText({ owner, isOwnerHere, handoverTo, here, isEnded }: ExplainedShard): string {
  if (isEnded) return "ended: all of it is processed";
  const asked = handoverTo === undefined ? "" : `, to be handed over to ${handoverTo}`;
  if (owner === undefined) return `owner: nobody${asked}`;
  const epoch = here === undefined ? "" : `, epoch ${here.epoch}`;
  const lease = here?.isLeaseLive === false ? ", LEASE NOT RENEWED: nothing starts until it is" : "";
  return `owner: ${owner}${isOwnerHere ? " (this process)" : ""}${epoch}${lease}${asked}`;
}

function whyNotHere(
  { owner, isOwnerHere, isEnded, parentShardIds }: ExplainedShard,
  state: string,
): readonly string[] {
  if (isEnded) return [];
  if (owner !== undefined && !isOwnerHere) return ["Ask that process for more."];
  if (state !== "Enabled") return [];
  return parentShardIds.length === 0
    ? ["It waits to be taken."]
    : [`It waits for ${parentShardIds.join(" and ")} to end.`];
}

function aheadLines(here: ShardExplanation, hasFilter: boolean): readonly string[] {
  const { lagMs, offsetLag, bufferedRecords, passedOverRecords, caughtUp, readFailures } = here;
  const behind = [
    ...(lagMs === undefined ? [] : [duration(lagMs)]),
    ...(offsetLag === undefined ? [] : [`${offsetLag} records`]),
  ];
  const lag = caughtUp
    ? "caught up"
    : behind.length === 0
      ? "behind: unknown"
      : `behind: ${behind.join(", ")} at the last read`;
  const passed = hasFilter
    ? [`passed over: ${passedOverRecords} records that the filter drops, or that were settled before`]
    : [];
  return [
    `${lag}; ${bufferedRecords} records read and not settled`,
    ...passed,
    ...(here.reading === "full" ? ["READING STOPPED: too much is read and not settled"] : []),
    ...(readFailures === undefined
      ? []
      : [`READING FAILS, ${readFailures.count} times since it last worked: ${readFailures.lastProblem}`]),
  ];
}

function laneText({ lane, batch, waitingRecords, fillingUntilMs }: LaneExplanation, nowMs: number): string {
  const behind = waitingRecords === 0 ? "" : `; ${waitingRecords} records wait behind it`;
  if (batch !== undefined) return `lane ${lane}: ${batchText(batch, nowMs)}${behind}`;
  if (fillingUntilMs === undefined) return `lane ${lane}: ${waitingRecords} records wait; its window is open`;
  return `lane ${lane}: a batch of ${waitingRecords} records is filled for ${duration(fillingUntilMs - nowMs)} more`;
}

const DOING: Readonly<Record<BatchDoing, string>> = {
  starting: "is about to start",
  queued: "waits for its turn, since the function is at its concurrency,",
  invoking: "is being invoked",
  pausing: "waits for its next attempt",
  leaseless: "waits for the lease to be renewed",
  undurable: "waits for the store to take a checkpoint: what is done is not durable",
  parking: "failed to the end, and its key is being parked",
  settling: "is done, and is being taken off its queue",
  discarding: "was given up, and its failure destination has not accepted it yet",
};

function batchText(batch: BatchExplanation, nowMs: number): string {
  const { doing, sinceMs, firstRecord, lastRecord, attempts, failures, throttles, lastProblem } = batch;
  const { records, laterRecords, nextAttemptMs, requestId, groups } = batch;
  const isBlocked = lastProblem !== undefined && doing !== "starting";
  const place =
    firstRecord === undefined
      ? ""
      : ` from ${firstRecord}${lastRecord === firstRecord ? "" : ` to ${lastRecord}`}`;
  const tried = [
    `${attempts} attempts`,
    ...(failures > 0 ? [`${failures} failures that count`] : []),
    ...(throttles > 0 ? [`${throttles} throttles in a row`] : []),
  ];
  const next =
    nextAttemptMs === undefined
      ? ""
      : `, in ${duration(nextAttemptMs - nowMs)} at ${clockTime(nextAttemptMs)}`;
  return [
    `${isBlocked ? "BLOCKED: " : ""}batch of ${records} records${place} ${DOING[doing]} for ${duration(nowMs - sinceMs)}${next}`,
    tried.join(", "),
    ...(lastProblem === undefined ? [] : [`last: ${lastProblem}`]),
    ...(laterRecords === 0 ? [] : [`${laterRecords} records of the same batch come after it`]),
    ...(groups.length === 0 ? [] : [`groups ${groups.join(", ")}`]),
    `request ${requestId}`,
  ].join("; ");
}

function queueLines(queue: QueueExplanation, group: string | undefined, nowMs: number): readonly string[] {
  const { batchesMax, runningBatches, waitingMessages, receiving, batches, waitingGroups, failedMessages } =
    queue;
  const { failures, nextMs, receives } = receiving;
  const failing =
    failures === undefined
      ? []
      : [
          `RECEIVING FAILS, ${failures.count} times since it last worked: ${failures.lastProblem}; ${nextMs === undefined ? "it is tried again now" : `again in ${duration(nextMs - nowMs)}`}`,
        ];
  const atMost = runningBatches >= batchesMax ? ": AS MANY AS MAY" : "";
  const { tenants } = queue;
  const nothing = group !== undefined && batches.length + waitingGroups.length + failedMessages.length === 0;
  return [
    `${INDENT}${runningBatches} of at most ${batchesMax} batches run${atMost}; ${waitingMessages} messages wait; ${receives} receives run`,
    ...failing.map((line) => INDENT + line),
    ...batches.map((batch) => INDENT + batchText(batch, nowMs).replaceAll(" records", " messages")),
    ...waitingGroups.map(
      ({ group: name, messages }) => `${INDENT}group ${name}: ${messages} messages wait here`,
    ),
    ...(tenants === undefined ? [] : tenantLines(tenants)),
    ...failedMessages.map(({ messageId, group: name, problem, receiveCount, againMs }) => {
      const ofGroup = name === undefined ? "" : ` of group ${name}, which waits for it,`;
      return `${INDENT}message ${messageId}${ofGroup} failed at its delivery ${receiveCount}: ${problem}; it comes again in ${duration(againMs - nowMs)}`;
    }),
    ...(nothing ? [`${INDENT}Nothing of ${group} is in the hands of this process.`] : []),
  ];
}

function tenantLines({ active, most }: TenantsExplanation): readonly string[] {
  return [
    `${INDENT}${active} tenants wait; each has its share of the places`,
    ...most.map(({ tenant, weight, waiting, running, messageMs }) => {
      const name = tenant === "" ? "without a tenant" : `tenant ${tenant}`;
      const more = weight === 1 ? "" : `, weight ${weight}`;
      return `${INDENT}${name}${more}: ${waiting} messages wait here, ${running} run, ${messageMs} ms each`;
    }),
  ];
}

function pointText(point: StartPoint | undefined): string {
  switch (point?.kind) {
    case undefined:
      return "unknown";
    case "oldest":
      return "nothing, from the oldest record on";
    case "timestamp":
      return `nothing, from ${new Date(point.epochMs).toISOString()} on`;
    case "after":
      return `up to ${point.position}`;
  }
}

function clockTime(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 19);
}

function duration(ms: number): string {
  const atLeast = Math.max(0, ms);
  if (atLeast < 1000) return `${Math.round(atLeast)} ms`;
  if (atLeast < 120_000) return `${(atLeast / 1000).toFixed(1)} s`;
  return atLeast < 7_200_000 ? `${Math.round(atLeast / 60_000)} min` : `${Math.round(atLeast / 3_600_000)} h`;
}
