import type { QueueMapping } from "../../../src/model/mapping.ts";
import type { InvocationOutcome } from "../../../src/model/outcome.ts";
import type { SeededRandom } from "../random.ts";
import type { FaultDesk } from "./fault-desk.ts";
import {
  type FunctionScenario,
  type PlannedFailure,
  POISONED,
  planTrouble,
  RESET_AFTER,
} from "./function-plan.ts";
import type { SimDelivery } from "./queue-message.ts";
import { failuresBody, garbageBody, malformedBody, successBody } from "./responses.ts";

/** How one execution with a batch of messages will go: decided when it starts. */
export interface QueueExecutionPlan {
  readonly durationMs: number;
  readonly outcome: InvocationOutcome;
  /** Messages, by place in the batch, that the function has processed for good when it ends. */
  readonly processed: readonly boolean[];
  /** Messages that the answer settles by the rules of queues §2.2 and §2.3. */
  readonly settled: readonly boolean[];
  /** Throttled or unavailable. */
  readonly isAgain: boolean;
  readonly label: string;
}

export function planQueueExecution(
  deliveries: readonly SimDelivery[],
  mapping: QueueMapping,
  scenario: FunctionScenario,
  faults: FaultDesk,
  random: SeededRandom,
): QueueExecutionPlan {
  const none = deliveries.map(() => false);
  const { durationMs: usualMs, failure } = planTrouble(scenario, faults, random);
  const isHealthy = scenario.poisonHeals && faults.isHealed;
  const poison = deliveries.map(({ sent }) => !isHealthy && sent.poison);
  const hasPoison = poison.includes(true);
  const durationMs = hasPoison && scenario.poisonSlow === true ? 0.9 * scenario.timeoutMs : usualMs;
  const failed = ({ outcome, label, counts }: PlannedFailure): QueueExecutionPlan => ({
    durationMs,
    outcome,
    processed: none,
    settled: none,
    isAgain: !counts,
    label,
  });
  if (failure !== undefined) return failed(failure);
  if (hasPoison && !(mapping.reportBatchItemFailures && scenario.poisonReports)) return failed(POISONED);
  const answer = planAnswer(deliveries, poison, mapping, faults, random);
  if (faults.roll("reset after execution", random)) {
    return { ...failed(RESET_AFTER), processed: answer.processed };
  }
  return { durationMs, isAgain: false, ...answer };
}

type Answer = Omit<QueueExecutionPlan, "durationMs" | "isAgain">;

function planAnswer(
  deliveries: readonly SimDelivery[],
  poison: readonly boolean[],
  mapping: QueueMapping,
  faults: FaultDesk,
  random: SeededRandom,
): Answer {
  const reports = mapping.reportBatchItemFailures;
  if (poison.includes(true)) return partialAnswer(deliveries, poison, random, "poison reported");
  if (reports && faults.roll("partial failure of a queue", random)) {
    const share = random.pick([0.1, 0.5, 1]);
    const failed = deliveries.map(() => random.chance(share));
    if (failed.includes(true)) return partialAnswer(deliveries, failed, random, "partial failure");
  }
  if (faults.roll("garbage response", random)) {
    return unreadable(deliveries, garbageBody(random), reports, "garbage response");
  }
  if (faults.roll("malformed partial failure", random)) {
    return unreadable(deliveries, malformedBody(random), reports, "malformed partial failure");
  }
  const all = deliveries.map(() => true);
  return { ...succeeded(successBody(random)), processed: all, settled: all, label: "succeeded" };
}

function succeeded(payload: Uint8Array): { readonly outcome: InvocationOutcome } {
  return { outcome: { kind: "succeeded", payload } };
}

/** A response that says nothing fails the batch where the engine must read it, and is ignored where it need not. */
function unreadable(
  deliveries: readonly SimDelivery[],
  body: Uint8Array,
  isRead: boolean,
  label: string,
): Answer {
  const done = deliveries.map(() => !isRead);
  return { ...succeeded(body), processed: done, settled: done, label: isRead ? label : `${label}, ignored` };
}

/** Some functions stop at the first failure of a FIFO group, as AWS asks them to; others go on (queues §2.3). */
function partialAnswer(
  deliveries: readonly SimDelivery[],
  failed: readonly boolean[],
  random: SeededRandom,
  label: string,
): Answer {
  const stops = random.chance(0.3);
  const groups = new Set<string>();
  const done = deliveries.map(({ groupId }, index) => {
    const isDone = failed[index] === false && !(stops && groupId !== undefined && groups.has(groupId));
    if (!isDone && groupId !== undefined) groups.add(groupId);
    return isDone;
  });
  const names = deliveries.filter((_, index) => done[index] === false).map(({ messageId }) => messageId);
  if (random.chance(0.3)) names.reverse();
  if (random.chance(0.1)) names.push(...names.slice(0, 1));
  // An answer names messages, not deliveries: a second copy in the same batch fails with the first (queues §2.3).
  const named = new Set(names);
  const settled = deliveries.map(({ messageId }, index) => done[index] === true && !named.has(messageId));
  return { ...succeeded(failuresBody(names)), processed: done, settled, label };
}
