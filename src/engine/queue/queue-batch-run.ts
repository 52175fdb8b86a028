import { backoffMs } from "../../lib/back-off.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Caller } from "../../model/caller.ts";
import type { QueueMapping } from "../../model/mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InvocationResult, Invoker } from "../../ports/invoker.ts";
import type { QueueSource } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";
import type { EngineSettings } from "../settings.ts";
import { BatchTrace } from "../trace/batch-trace.ts";
import type { Tracer } from "../trace/tracer.ts";
import { type BatchEnding, groupsHeldBack, left, released } from "./batch-ending.ts";
import { canEncode, carrierOf, encodeBatch, UnmadeEvent } from "./batch-event.ts";
import { type HeldMessage, isHeldAt } from "./held-message.ts";
import { decideQueueBatch, type QueueBatchDecision } from "./queue-batch-decision.ts";
import type { QueueBatchNotes } from "./queue-batch-notes.ts";

export interface QueueBatchContext {
  readonly mapping: QueueMapping;
  readonly source: QueueSource;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** `undefined`: nothing is traced. */
  readonly tracer: Tracer | undefined;
  readonly invoker: Invoker;
  /** This mapping, as the function's door knows it. */
  readonly caller: Caller;
  /** Aborts at the end of a drain. */
  readonly endSignal: AbortSignal;
  /** Nothing of the mapping may start any more: by the clock, which the signal may follow late. */
  isOver(): boolean;
  readonly callSignal: AbortSignal;
  /**
   * Takes messages off the queue that are done while others of their batch still run: their holds must not wait for
   * those.
   */
  acknowledge(held: readonly HeldMessage[]): Promise<void>;
  /** An invocation failed or was throttled: fewer batches at once from now on (queues §2.2). */
  slowDown(): void;
  report(problem: string | undefined, where: LogFields): void;
  /** Messages that cannot be converted: counted and told. */
  giveUp(broken: readonly HeldMessage[], error: unknown): void;
  readonly notes: QueueBatchNotes;
  /** Where the alias deals groups out: where all of the batch go. */
  readonly routingPlace: number | undefined;
}

/** What is invoked at once: a batch or a part of it, with the names that logs and traces know it by. */
interface Segment {
  readonly batch: readonly HeldMessage[];
  readonly requestId: string;
  readonly trace: BatchTrace | undefined;
}

/** A door of this process that is shut is asked again soon: that costs nobody anything. */
const REFUSED_TRIES_MAX = 5;

type Again = Extract<QueueBatchDecision, { kind: "again" }>;
type Conclusion = Exclude<QueueBatchDecision, Again>;

/** Invokes the function with one batch, again only while it is throttled or cannot be reached. */
export async function runQueueBatch(
  context: QueueBatchContext,
  batch: readonly HeldMessage[],
): Promise<BatchEnding> {
  try {
    return await runWhileItLasts(context, batch);
  } catch (error) {
    if (!(error instanceof UnmadeEvent)) throw error;
    return await runWithoutBroken(context, batch, error);
  }
}

async function runWhileItLasts(
  context: QueueBatchContext,
  batch: readonly HeldMessage[],
): Promise<BatchEnding> {
  const { mapping, telemetry, callSignal, notes } = context;
  const requestId = notes.begin(context.random.uuid());
  const segment: Segment = { batch, requestId, trace: context.tracer && new BatchTrace(context.tracer) };
  let untilMs: number | undefined;
  for (let tries = 1; ; tries++) {
    const result = await invoke(context, segment, tries > 1, untilMs);
    const decision = decideQueueBatch(batch, result, mapping, callSignal.aborted);
    if (decision.kind !== "unheard" && result.kind === "payloadTooLarge")
      telemetry.count("too_large_events", mapping.name, batch.length);
    if (decision.kind !== "again") return await conclude(context, segment, decision);
    // The same batch in memory is tried again while the hold lasts that it has now (queues §2.2). An attempt may take
    // long when it succeeds at last: so the hold is prolonged all the same, and what is left of it given back in the
    // end.
    // plant: a-throttled-batch-is-tried-for-ever
    untilMs ??= Math.min(...batch.map(({ holdUntilMs }) => holdUntilMs));
    const ending = await pause(context, segment, decision, tries, untilMs);
    if (ending !== undefined) return ending;
  }
}

/** `untilMs`: monotonic; nothing starts behind it. */
function invoke(
  context: QueueBatchContext,
  segment: Segment,
  isTriedAgain: boolean,
  untilMs: number | undefined,
): Promise<InvocationResult> {
  const { mapping, invoker, callSignal, notes } = context;
  const { batch, requestId } = segment;
  notes.does("queued");
  return invoker.invoke({
    caller: context.caller,
    requestId,
    functionArn: mapping.functionArn,
    routingPlace: context.routingPlace,
    batch: {
      records: batch.length,
      isRetry: isTriedAgain || batch.some(({ message }) => message.receiveCount > 1),
      arrivalMs: batch[0]?.message.sentMs,
      position: batch[0]?.message.messageId,
      group: batch[0]?.message.groupId,
    },
    payload: () => {
      notes.does("invoking");
      return encodeBatch(context.source, batch);
    },
    // plant: batches-that-wait-for-the-function-start-after-stop
    mayStart: () => !context.isOver() && mayStart(context, batch, untilMs),
    signal: callSignal,
    beginSpan: beginSpan(context, segment),
  });
}

/** A batch waits for its turn and its back-off while holds run out. */
function mayStart(
  { clock, telemetry }: QueueBatchContext,
  batch: readonly HeldMessage[],
  untilMs = Number.POSITIVE_INFINITY,
): boolean {
  const nowMs = clock.monotonic();
  // plant: invocations-start-on-messages-that-are-lost
  if (nowMs < untilMs && batch.every((held) => isHeldAt(held, nowMs))) return true;
  telemetry.mark("batch not started: a hold had ended");
  return false;
}

/** `undefined`: it may be tried again now. Otherwise its holds or its mapping end before. */
async function pause(
  context: QueueBatchContext,
  segment: Segment,
  { problem, retryAfterMs, error, isRefusal }: Again,
  pauses: number,
  untilMs: number,
): Promise<BatchEnding | undefined> {
  const { mapping, clock, random, settings, telemetry, endSignal, notes } = context;
  const { batch } = segment;
  telemetry.count("failed_invoke_events", mapping.name, batch.length);
  report(context, segment, problem, error === undefined ? {} : { error });
  if (!isRefusal) context.slowDown();
  const tries = isRefusal ? Math.min(pauses, REFUSED_TRIES_MAX) : pauses;
  const pauseMs = Math.max(retryAfterMs, backoffMs(tries, settings, random));
  const remainingMs = untilMs - clock.monotonic();
  // plant: a-throttled-batch-is-let-go-at-once
  if (pauseMs >= remainingMs) {
    telemetry.mark("throttled batch given up at the end of its hold");
    // plant: a-batch-that-was-throttled-to-the-end-is-acknowledged
    return released(batch, Math.max(0, remainingMs));
  }
  notes.pauses(problem, clock.monotonic() + pauseMs);
  return (await sleep(clock, pauseMs, endSignal)) ? undefined : released(batch);
}

async function conclude(
  context: QueueBatchContext,
  segment: Segment,
  decision: Conclusion,
): Promise<BatchEnding> {
  if (decision.kind === "unheard") return decision.ending;
  const { notes } = context;
  notes.wasSeen = true;
  switch (decision.kind) {
    case "halves":
      return await runHalves(context, segment);
    case "succeeded":
      report(context, segment, undefined);
      return decision.ending;
    case "listed":
      report(context, segment, undefined);
      notes.notes("the function listed failures", "functionFails");
      tellListed(context, decision.ending);
      return decision.ending;
    case "failed":
      tellFailed(context, segment, decision);
      return decision.ending;
  }
}

function tellListed({ mapping, telemetry }: QueueBatchContext, { leave, release }: BatchEnding): void {
  telemetry.mark(
    release.length > 0
      ? "later messages of a group held back behind a listed failure"
      : "partial response of a queue",
  );
  telemetry.count("partial_failures", mapping.name, 1);
  telemetry.count("failed_invoke_events", mapping.name, leave.length);
}

function tellFailed(
  context: QueueBatchContext,
  segment: Segment,
  { problem, code, errorId, slowsDown, isMalformed }: Extract<QueueBatchDecision, { kind: "failed" }>,
): void {
  const { mapping, telemetry } = context;
  if (isMalformed) telemetry.mark("malformed response fails a batch of a queue");
  telemetry.count("failed_invoke_events", mapping.name, segment.batch.length);
  report(context, segment, problem, errorId === undefined ? {} : { errorType: problem, errorId });
  context.notes.notes(problem, code, errorId);
  if (slowsDown) context.slowDown();
}

/**
 * Smaller parts may pass: one after the other under the holds that they have, and no group behind what it waits for.
 */
async function runHalves(context: QueueBatchContext, segment: Segment): Promise<BatchEnding> {
  const { mapping, telemetry } = context;
  const { batch } = segment;
  telemetry.mark("batch split by size that was refused");
  telemetry.count("failed_invoke_events", mapping.name, batch.length);
  telemetry.count("batch_splits", mapping.name, 1);
  report(context, segment, "payloadTooLarge", { messages: batch.length });
  const middle = Math.floor(batch.length / 2);
  const first = await runQueueBatch(context, batch.slice(0, middle));
  const waiting = groupsHeldBack(first, context.clock.monotonic());
  const mayGo = ({ message }: HeldMessage) => message.groupId === undefined || !waiting.has(message.groupId);
  const second = batch.slice(middle);
  const acknowledged = context.acknowledge(first.acknowledge);
  const last = second.some(mayGo) ? await runQueueBatch(context, second.filter(mayGo)) : released([]);
  return {
    acknowledging: Promise.all([first.acknowledging, acknowledged, last.acknowledging]),
    acknowledge: last.acknowledge,
    leave: [...first.leave, ...last.leave],
    release: [...first.release, ...second.filter((held) => !mayGo(held)), ...last.release],
    releaseAfterMs: Math.max(first.releaseAfterMs, last.releaseAfterMs),
  };
}

/**
 * Messages of which no event can be made are given up, each alone: they come again until their queue gives them up too.
 */
async function runWithoutBroken(
  context: QueueBatchContext,
  batch: readonly HeldMessage[],
  fault: UnmadeEvent,
): Promise<BatchEnding> {
  const { telemetry, notes, giveUp } = context;
  const broken = batch.filter((held) => !canEncode(context.source, held));
  const sound = batch.filter((held) => !broken.includes(held));
  // plant: a-message-of-which-no-event-can-be-made-fails-its-whole-batch
  if (broken.length === 0 || sound.length === 0) {
    giveUp(batch, fault.cause);
    notes.fails("no event can be made of it");
    return left(batch);
  }
  telemetry.mark("batch made anew without what cannot be converted");
  giveUp(broken, fault.cause);
  const ending = await runQueueBatch(context, sound);
  return { ...ending, leave: [...broken, ...ending.leave] };
}

function beginSpan({ source }: QueueBatchContext, { batch, requestId, trace }: Segment) {
  if (trace === undefined) return undefined;
  const carriers = () => batch.map(({ message }) => carrierOf(source, message));
  return () => trace.beginAttempt({ requestId, carriers: carriers() });
}

function report(
  context: QueueBatchContext,
  { requestId, trace }: Segment,
  problem: string | undefined,
  more: LogFields = {},
): void {
  context.report(problem, { requestId, traceId: trace?.traceId, ...more });
}
