import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../../../src/ports/function-target.ts";
import type { Attempt, MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import { SimPayload } from "./events.ts";
import { createExecutionTarget } from "./execution.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { type ExecutionPlan, type FunctionScenario, planExecution } from "./function-plan.ts";
import { leaseKey } from "./lease-key.ts";
import type { SimProcess } from "./process.ts";
import type { SimShard } from "./stream.ts";

export interface FunctionOptions {
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  readonly history: MappingHistory;
  readonly scenario: FunctionScenario;
  breach(message: string): void;
}

/** The function of one mapping as one process calls it. What it does with the records is written into the history. */
export function createSimFunction(options: FunctionOptions): FunctionTarget {
  const { process, time, history, scenario, faults } = options;
  let running = 0;
  const target = createExecutionTarget({
    process,
    time,
    begin(payload, context) {
      if (!(payload instanceof SimPayload)) throw new TypeError("the payload is not an event of the source");
      running++;
      if (running > scenario.concurrency) options.breach(`${running} invocations at once`);
      const attempt = startAttempt(options, payload, context, running);
      const plan = planExecution(payload, history, scenario, faults, process.random);
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
      // A defective target, which the port forbids: it costs its own batch, and gives back what the call had taken
      // (I26).
      const isDefective =
        payload instanceof SimPayload && faults.roll("stream function's target throws", process.random);
      if (!isDefective || process.state === "dead") return target.invoke(payload, context, signal);
      const attempt = startAttempt(options, payload, context, running + 1);
      attempt.plan = "target throws";
      attempt.toldAt = time.now;
      attempt.told = "functionError";
      attempt.toldCounts = true;
      history.events.push({ kind: "attemptTold", at: time.now, attempt });
      throw new TypeError("the simulated target is defective");
    },
  };
}

function startAttempt(
  { process, time, history, breach }: FunctionOptions,
  payload: SimPayload,
  context: InvocationContext,
  concurrentOfProcess: number,
): Attempt {
  const shard = payload.records.at(-1)?.shard ?? logOfWindow(history, process, payload);
  const { shardId, life } = shard;
  const isForeign = (other: SimShard) => other.shardId !== shardId || other.life !== life;
  if (payload.records.some((record) => isForeign(record.shard))) breach("a batch of two shards");
  const key = leaseKey(history.mapping.uuid, shardId);
  process.lastLogs.set(key, shard);
  const lease = process.leases.get(key);
  const attempt: Attempt = {
    id: history.attempts.length,
    process,
    shard,
    records: payload.records,
    requestId: context.requestId,
    version: history.called,
    payloadBytes: payload.length,
    window: payload.window,
    startedAt: time.now,
    epoch: lease?.epoch,
    confirmedLocalMs: lease?.confirmedLocalMs,
    startedLocalMs: process.localMs(),
    concurrentOfProcess,
    ranAt: undefined,
    processed: [],
    toldAt: undefined,
    told: undefined,
    toldProcessed: [],
    toldCounts: false,
    plan: "",
  };
  history.attempts.push(attempt);
  history.events.push({ kind: "attemptStarted", at: time.now, attempt });
  return attempt;
}

/** The window's own: of the log that the process was given records of, or of the newest. */
function logOfWindow(
  { mapping, stream }: MappingHistory,
  process: SimProcess,
  payload: SimPayload,
): SimShard {
  const shardId = payload.window?.shardId ?? "";
  const shard = process.lastLogs.get(leaseKey(mapping.uuid, shardId)) ?? stream.log(shardId, undefined);
  if (shard === undefined) throw new TypeError("an event without records and without a window");
  return shard;
}

function ran({ time, history }: FunctionOptions, attempt: Attempt, plan: ExecutionPlan): void {
  attempt.ranAt = time.now;
  attempt.processed = plan.processed;
  history.events.push({ kind: "attemptRan", at: time.now, attempt });
}

function told(
  { time, history }: FunctionOptions,
  attempt: Attempt,
  outcome: InvocationOutcome,
  plan: ExecutionPlan,
): void {
  attempt.toldAt = time.now;
  attempt.told = outcome.kind;
  if (outcome === plan.outcome) {
    attempt.toldProcessed = plan.toldProcessed;
    attempt.toldCounts = plan.counts;
  }
  history.events.push({ kind: "attemptTold", at: time.now, attempt });
}
