import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../../../src/ports/function-target.ts";
import type { QueueAttempt, QueueHistory } from "../queue-history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { createExecutionTarget } from "./execution.ts";
import type { FaultDesk } from "./fault-desk.ts";
import type { SimProcess } from "./process.ts";
import { SimQueuePayload } from "./queue-events.ts";
import { planQueueExecution, type QueueExecutionPlan } from "./queue-function-plan.ts";
import type { SimDelivery } from "./queue-message.ts";

export interface QueueFunctionOptions {
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  readonly history: QueueHistory;
  breach(message: string): void;
}

/** The function of one queue mapping as one process calls it. What it does goes into the history. */
export function createSimQueueFunction(options: QueueFunctionOptions): FunctionTarget {
  const { process, time, history, faults } = options;
  const { fn } = history.plan;
  let running = 0;
  const target = createExecutionTarget({
    process,
    time,
    begin(payload, context) {
      if (!(payload instanceof SimQueuePayload))
        throw new TypeError("the payload is not an event of the queue");
      running++;
      if (running > fn.concurrency) options.breach(`${running} invocations at once`);
      const attempt = startAttempt(options, payload, context);
      const plan = planQueueExecution(payload.deliveries, history.mapping, fn, faults, process.random);
      attempt.plan = plan.label;
      return {
        durationMs: plan.durationMs,
        outcome: plan.outcome,
        ran: () => ran(options, attempt, plan),
        told: (outcome) => {
          running--;
          told(options, attempt, outcome, plan);
        },
      };
    },
  });
  return {
    ...target,
    invoke(payload, context, signal) {
      // A defective target, which the port forbids: it costs its own batch and nothing else (I18).
      const isDefective =
        payload instanceof SimQueuePayload && faults.roll("function target throws", process.random);
      if (!isDefective || process.state === "dead") return target.invoke(payload, context, signal);
      const attempt = startAttempt(options, payload, context);
      attempt.plan = "target throws";
      const outcome: InvocationOutcome = { kind: "functionError", errorType: "defect", message: "" };
      told(options, attempt, outcome, undefined);
      return Promise.reject({ toString: "not a function" });
    },
  };
}

function startAttempt(
  { process, time, history }: QueueFunctionOptions,
  payload: SimQueuePayload,
  context: InvocationContext,
): QueueAttempt {
  const { deliveries } = payload;
  const none = deliveries.map(() => false);
  const attempt: QueueAttempt = {
    id: history.attempts.length,
    process,
    deliveries,
    requestId: context.requestId,
    version: history.called,
    payloadBytes: payload.length,
    startedAt: time.now,
    startedLocalMs: process.localMs(),
    heldUntilLocalMs: heldUntilLocalMs(deliveries),
    hasToldLost: deliveries.some(({ toldLost }) => toldLost),
    ranAt: undefined,
    toldAt: undefined,
    told: undefined,
    processed: none,
    toldSettled: none,
    toldHeldUntilLocalMs: Number.NEGATIVE_INFINITY,
    toldAgain: false,
    plan: "",
  };
  history.attempts.push(attempt);
  history.events.push({ kind: "attemptStarted", at: time.now, process, attempt });
  return attempt;
}

function ran(
  { process, time, history }: QueueFunctionOptions,
  attempt: QueueAttempt,
  plan: QueueExecutionPlan,
): void {
  attempt.ranAt = time.now;
  attempt.processed = plan.processed;
  history.events.push({ kind: "attemptRan", at: time.now, process, attempt });
}

function told(
  { process, time, history }: QueueFunctionOptions,
  attempt: QueueAttempt,
  outcome: InvocationOutcome,
  plan: QueueExecutionPlan | undefined,
): void {
  attempt.toldAt = time.now;
  attempt.told = outcome.kind;
  attempt.toldHeldUntilLocalMs = heldUntilLocalMs(attempt.deliveries);
  attempt.toldAgain = outcome.kind === "throttled" || outcome.kind === "unavailable";
  if (outcome === plan?.outcome) attempt.toldSettled = plan.settled;
  history.events.push({ kind: "attemptTold", at: time.now, process, attempt });
}

function heldUntilLocalMs(deliveries: readonly SimDelivery[]): number {
  return Math.min(...deliveries.map((delivery) => delivery.heldUntilLocalMs));
}
