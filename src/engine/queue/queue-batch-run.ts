import type { QueueMapping } from "../../model/mapping.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueSource } from "../../ports/queue-source.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { backoffMs } from "../invoke/backoff.ts";
import type { FunctionInvoker } from "../invoke/function-invoker.ts";
import { readFailedMessages } from "../invoke/response.ts";
import type { EngineSettings } from "../settings.ts";
import { sleep } from "../sleep.ts";
import { type HeldMessage, messagesOf } from "./held-message.ts";

export interface QueueBatchContext {
  readonly mapping: QueueMapping;
  readonly source: QueueSource;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly invoker: FunctionInvoker;
  readonly stopSignal: AbortSignal;
  readonly callSignal: AbortSignal;
  /** An invocation failed or was throttled: fewer batches at once from now on (queues §2.2). */
  slowDown(): void;
  report(problem: string | undefined): void;
}

/** What becomes of the messages of a batch (queues §2.2, §2.3). */
export interface BatchEnding {
  /** Off the queue. */
  readonly acknowledge: readonly HeldMessage[];
  /** Left alone: they come again when their hold ends. */
  readonly leave: readonly HeldMessage[];
  /** Back at once: they did nothing wrong, and wait behind what did, or the engine stops. */
  readonly release: readonly HeldMessage[];
}

/** Invokes the function with one batch, again only while it is throttled or cannot be reached. */
export async function runQueueBatch(
  context: QueueBatchContext,
  batch: readonly HeldMessage[],
): Promise<BatchEnding> {
  const { mapping, source, clock, random, settings, telemetry, invoker, stopSignal, callSignal } = context;
  const requestId = random.uuid();
  for (let pauses = 1; ; pauses++) {
    const outcome = await invoker.invoke({
      mapping: mapping.name,
      requestId,
      functionArn: mapping.functionArn,
      recordCount: batch.length,
      encode: () => source.events.encode(messagesOf(batch)),
      mayStart: () => !stopSignal.aborted && batch.every(({ isLost }) => !isLost),
      signal: callSignal,
    });
    if (outcome.kind === "notStarted") return released(batch);
    if (outcome.kind !== "throttled" && outcome.kind !== "unavailable")
      return conclude(context, batch, outcome);
    telemetry.count("failed_invoke_events", mapping.name, batch.length);
    context.slowDown();
    // The same batch in memory is tried again, but its hold is not prolonged for it (queues §2.2).
    for (const held of batch) held.keepsHold = false;
    const retryAfterMs = outcome.kind === "throttled" ? (outcome.retryAfterMs ?? 0) : 0;
    const pauseMs = Math.max(retryAfterMs, backoffMs(pauses, settings, random));
    const untilMs = Math.min(...batch.map(({ holdUntilMs }) => holdUntilMs));
    if (clock.monotonic() + pauseMs >= untilMs) return left(batch);
    if (!(await sleep(clock, pauseMs, stopSignal))) return released(batch);
  }
}

function conclude(
  context: QueueBatchContext,
  batch: readonly HeldMessage[],
  outcome: Exclude<InvocationOutcome, { kind: "throttled" | "unavailable" }>,
): BatchEnding {
  switch (outcome.kind) {
    case "succeeded":
      return returned(context, batch, outcome.payload);
    case "functionError":
      return failed(context, batch, outcome.errorType);
    case "timedOut":
    case "payloadTooLarge":
      return failed(context, batch, outcome.kind);
  }
}

function returned(
  context: QueueBatchContext,
  batch: readonly HeldMessage[],
  payload: Uint8Array,
): BatchEnding {
  const { mapping, telemetry } = context;
  if (!mapping.reportBatchItemFailures) return succeeded(context, batch);
  const ids = new Set(batch.map(({ message }) => message.messageId));
  const answer = readFailedMessages(payload, (id) => ids.has(id));
  if (answer.kind === "malformed") return failed(context, batch, answer.reason);
  if (answer.identifiers.length === 0) return succeeded(context, batch);
  context.report(undefined);
  const named = new Set(answer.identifiers);
  const ending = divide(batch, named, mapping.strictAwsFifo);
  telemetry.count("failed_invoke_events", mapping.name, ending.leave.length);
  return ending;
}

/** Unless it is strictly AWS's way, a failure holds back later messages of its FIFO group (architecture.md). */
function divide(batch: readonly HeldMessage[], failed: ReadonlySet<string>, isStrict: boolean): BatchEnding {
  const acknowledge: HeldMessage[] = [];
  const leave: HeldMessage[] = [];
  const release: HeldMessage[] = [];
  const failedGroups = new Set<string>();
  for (const held of batch) {
    const { messageId, groupId } = held.message;
    if (failed.has(messageId)) {
      leave.push(held);
      if (groupId !== undefined && !isStrict) failedGroups.add(groupId);
    } else if (groupId !== undefined && failedGroups.has(groupId)) release.push(held);
    else acknowledge.push(held);
  }
  return { acknowledge, leave, release };
}

function succeeded(context: QueueBatchContext, batch: readonly HeldMessage[]): BatchEnding {
  context.report(undefined);
  return { acknowledge: batch, leave: [], release: [] };
}

function failed(context: QueueBatchContext, batch: readonly HeldMessage[], problem: string): BatchEnding {
  const { mapping, telemetry } = context;
  telemetry.count("failed_invoke_events", mapping.name, batch.length);
  context.report(problem);
  // With partial responses AWS does not slow down on failures (queues §2.3).
  if (!mapping.reportBatchItemFailures) context.slowDown();
  return left(batch);
}

function left(batch: readonly HeldMessage[]): BatchEnding {
  return { acknowledge: [], leave: batch, release: [] };
}

function released(batch: readonly HeldMessage[]): BatchEnding {
  return { acknowledge: [], leave: [], release: batch };
}
