import { backoffMs } from "../../lib/back-off.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Caller } from "../../model/caller.ts";
import type { QueueMapping } from "../../model/mapping.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { TraceCarrier } from "../../model/trace-context.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Invoker } from "../../ports/invoker.ts";
import type { QueueMessage, QueueSource } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";
import { readFailedMessages } from "../invoke/response.ts";
import type { EngineSettings } from "../settings.ts";
import { BatchTrace } from "../trace/batch-trace.ts";
import type { Tracer } from "../trace/tracer.ts";
import { type HeldMessage, isHeldAt, messagesOf } from "./held-message.ts";
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
  /** Aborts when nothing of the mapping may start any more: at the end of a drain. */
  readonly endSignal: AbortSignal;
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
}

/** A batch on its way, with the names that logs and traces know it by. */
interface Running {
  readonly batch: readonly HeldMessage[];
  readonly requestId: string;
  readonly trace: BatchTrace | undefined;
}

/** What becomes of the messages of a batch (queues §2.2, §2.3). */
export interface BatchEnding {
  /** Off the queue. */
  readonly acknowledge: readonly HeldMessage[];
  /** Left alone: they come again when their hold ends. */
  readonly leave: readonly HeldMessage[];
  /** Given back: they did nothing wrong, and wait behind what did, or for a function that can be reached. */
  readonly release: readonly HeldMessage[];
  /** How long those stay hidden yet. */
  readonly releaseAfterMs: number;
  /** Others of the batch are being taken off the queue already; its groups are held until that has ended. */
  readonly acknowledging?: Promise<unknown>;
}

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
  const { mapping, clock, random, settings, telemetry, invoker, endSignal, callSignal, notes } = context;
  const requestId = notes.begin(random.uuid());
  const running: Running = { batch, requestId, trace: context.tracer && new BatchTrace(context.tracer) };
  let untilMs: number | undefined;
  for (let pauses = 1; ; pauses++) {
    notes.does("queued");
    const outcome = await invoker.invoke({
      caller: context.caller,
      requestId,
      functionArn: mapping.functionArn,
      batch: {
        records: batch.length,
        isRetry: pauses > 1 || batch.some(({ message }) => message.receiveCount > 1),
        arrivalMs: batch[0]?.message.sentMs,
      },
      payload: () => {
        notes.does("invoking");
        return encode(context, batch);
      },
      // plant: batches-that-wait-for-the-function-start-after-stop
      mayStart: () => !endSignal.aborted && mayStart(context, batch, untilMs),
      signal: callSignal,
      beginSpan: beginSpan(context, running),
    });
    if (outcome.kind === "notStarted" || outcome.kind === "refused") return released(batch);
    // A call that was given up at the end of a stop says nothing of what the function did.
    if (callSignal.aborted) return left(batch);
    // plant: a-failed-batch-of-messages-is-tried-again-at-once
    if (outcome.kind !== "throttled" && outcome.kind !== "unavailable") {
      notes.wasSeen = true;
      return await conclude(context, running, outcome);
    }
    telemetry.count("failed_invoke_events", mapping.name, batch.length);
    report(context, running, outcome.kind, outcome.kind === "unavailable" ? { error: outcome.message } : {});
    context.slowDown();
    // The same batch in memory is tried again while the hold lasts that it has now (queues §2.2). An attempt may take
    // long when it succeeds at last: so the hold is prolonged all the same, and what is left of it given back in the
    // end.
    // plant: a-throttled-batch-is-tried-for-ever
    untilMs ??= Math.min(...batch.map(({ holdUntilMs }) => holdUntilMs));
    const retryAfterMs = outcome.kind === "throttled" ? (outcome.retryAfterMs ?? 0) : 0;
    const pauseMs = Math.max(retryAfterMs, backoffMs(pauses, settings, random));
    const remainingMs = untilMs - clock.monotonic();
    // plant: a-throttled-batch-is-let-go-at-once
    if (pauseMs >= remainingMs) {
      telemetry.mark("throttled batch given up at the end of its hold");
      // plant: a-batch-that-was-throttled-to-the-end-is-acknowledged
      return released(batch, Math.max(0, remainingMs));
    }
    notes.pauses(outcome.kind, clock.monotonic() + pauseMs);
    if (!(await sleep(clock, pauseMs, endSignal))) return released(batch);
  }
}

/** The source could not make an event of a batch, which its port promises: there was no invocation. */
class UnmadeEvent extends Error {}

function encode({ source }: QueueBatchContext, batch: readonly HeldMessage[]): Uint8Array {
  try {
    return source.events.encode(messagesOf(batch));
  } catch (error) {
    throw new UnmadeEvent("no event can be made of a batch", { cause: error });
  }
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
  const broken = batch.filter((held) => !canEncode(context, held));
  const sound = batch.filter((held) => !broken.includes(held));
  // plant: a-message-of-which-no-event-can-be-made-fails-its-whole-batch
  if (broken.length === 0 || sound.length === 0) {
    giveUp(batch, fault.cause);
    notes.lastProblem = "no event can be made of it";
    return left(batch);
  }
  telemetry.mark("batch made anew without what cannot be converted");
  giveUp(broken, fault.cause);
  const ending = await runQueueBatch(context, sound);
  return { ...ending, leave: [...broken, ...ending.leave] };
}

function canEncode(context: QueueBatchContext, held: HeldMessage): boolean {
  try {
    encode(context, [held]);
    return true;
  } catch {
    return false;
  }
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

async function conclude(
  context: QueueBatchContext,
  running: Running,
  outcome: Exclude<InvocationOutcome, { kind: "throttled" | "unavailable" }>,
): Promise<BatchEnding> {
  switch (outcome.kind) {
    case "succeeded":
      return returned(context, running, outcome.payload);
    case "functionError":
      return failed(context, running, outcome.errorType);
    case "timedOut":
      return failed(context, running, outcome.kind);
    case "payloadTooLarge":
      return await refusedForSize(context, running);
  }
}

/**
 * Smaller parts may pass: one after the other under the holds that they have, and no group behind what it waits for.
 */
async function refusedForSize(context: QueueBatchContext, running: Running): Promise<BatchEnding> {
  const { mapping, telemetry } = context;
  const { batch } = running;
  telemetry.count("too_large_events", mapping.name, batch.length);
  if (batch.length < 2) return failed(context, running, "payloadTooLarge");
  telemetry.mark("batch split by size that was refused");
  telemetry.count("failed_invoke_events", mapping.name, batch.length);
  telemetry.count("batch_splits", mapping.name, 1);
  report(context, running, "payloadTooLarge", { messages: batch.length });
  const middle = Math.floor(batch.length / 2);
  const first = await runQueueBatch(context, batch.slice(0, middle));
  const nowMs = context.clock.monotonic();
  const lost = first.acknowledge.filter((held) => !isHeldAt(held, nowMs));
  const behind = [...first.leave, ...first.release, ...lost];
  const waiting = new Set(behind.flatMap(({ message }) => message.groupId ?? []));
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

function returned(context: QueueBatchContext, running: Running, payload: Uint8Array): BatchEnding {
  const { mapping, telemetry } = context;
  const { batch } = running;
  if (!mapping.reportBatchItemFailures) return succeeded(context, running);
  const ids = new Set(batch.map(({ message }) => message.messageId));
  const answer = readFailedMessages(payload, (id) => ids.has(id));
  if (answer.kind === "malformed") {
    telemetry.mark("malformed response fails a batch of a queue");
    // plant: an-unreadable-response-of-a-queues-batch-is-taken-for-success
    return failed(context, running, answer.reason);
  }
  if (answer.identifiers.length === 0) return succeeded(context, running);
  report(context, running, undefined);
  context.notes.lastProblem = "the function listed failures";
  const named = new Set(answer.identifiers);
  const ending = divide(batch, named, mapping.strictAwsFifo);
  telemetry.mark(
    ending.release.length > 0
      ? "later messages of a group held back behind a listed failure"
      : "partial response of a queue",
  );
  telemetry.count("partial_failures", mapping.name, 1);
  telemetry.count("failed_invoke_events", mapping.name, ending.leave.length);
  return ending;
}

/** Unless it is strictly AWS's way, a failure holds back later messages of its FIFO group (decision 0026). */
function divide(batch: readonly HeldMessage[], failed: ReadonlySet<string>, isStrict: boolean): BatchEnding {
  const acknowledge: HeldMessage[] = [];
  const leave: HeldMessage[] = [];
  const release: HeldMessage[] = [];
  const failedGroups = new Set<string>();
  for (const held of batch) {
    const { messageId, groupId } = held.message;
    // plant: a-partial-response-is-read-the-wrong-way-round
    if (failed.has(messageId)) {
      leave.push(held);
      // plant: a-later-message-of-a-group-is-acknowledged-behind-a-listed-failure
      if (groupId !== undefined && !isStrict) failedGroups.add(groupId);
    } else if (groupId !== undefined && failedGroups.has(groupId)) release.push(held);
    else acknowledge.push(held);
  }
  return { acknowledge, leave, release, releaseAfterMs: 0 };
}

function succeeded(context: QueueBatchContext, running: Running): BatchEnding {
  report(context, running, undefined);
  return { acknowledge: running.batch, leave: [], release: [], releaseAfterMs: 0 };
}

function failed(context: QueueBatchContext, running: Running, problem: string): BatchEnding {
  const { mapping, telemetry } = context;
  const { batch } = running;
  telemetry.count("failed_invoke_events", mapping.name, batch.length);
  report(context, running, problem);
  context.notes.lastProblem = problem;
  // With partial responses AWS does not slow down on failures (queues §2.3).
  if (!mapping.reportBatchItemFailures) context.slowDown();
  return left(batch);
}

function beginSpan({ source }: QueueBatchContext, { batch, requestId, trace }: Running) {
  if (trace === undefined) return undefined;
  const carriers = () => batch.map(({ message }) => carrierOf(source, message));
  return () => trace.beginAttempt({ requestId, carriers: carriers() });
}

/** A trace that cannot be read is none: it costs its message nothing. */
function carrierOf({ events }: QueueSource, message: QueueMessage): TraceCarrier | undefined {
  try {
    return events.traceCarrier?.(message);
  } catch {
    return undefined;
  }
}

function report(
  context: QueueBatchContext,
  { requestId, trace }: Running,
  problem: string | undefined,
  more: LogFields = {},
): void {
  context.report(problem, { requestId, traceId: trace?.traceId, ...more });
}

function left(batch: readonly HeldMessage[]): BatchEnding {
  // plant: messages-of-a-failed-batch-are-acknowledged
  return { acknowledge: [], leave: batch, release: [], releaseAfterMs: 0 };
}

function released(batch: readonly HeldMessage[], releaseAfterMs = 0): BatchEnding {
  return { acknowledge: [], leave: [], release: batch, releaseAfterMs };
}
