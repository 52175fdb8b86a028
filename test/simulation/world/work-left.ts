import type { MappingHistory } from "../history.ts";
import type { QueueHistory } from "../queue-history.ts";
import type { Scenario } from "../scenario.ts";

/** How long what is left may take beside the time that a scenario gives it: milliseconds. */
export function workLeftMs(
  { settings }: Pick<Scenario, "settings">,
  streams: readonly MappingHistory[],
  queues: readonly QueueHistory[],
): number {
  return Math.max(0, ...queues.map(queueMs), ...streams.map((each) => streamMs(each, settings)));
}

/** Message after message, as in one group of a FIFO queue. */
function queueMs({ queue, plan }: QueueHistory): number {
  return queue.unmadeHoldsMs + queue.left * plan.fn.latencyMaxMs;
}

/**
 * Record after record, where a read or a budget has room for no more than two of them, or where the function takes few
 * calls at once.
 */
function streamMs({ plan, stream }: MappingHistory, settings: Scenario["settings"]): number {
  const room = Math.min(settings.readBytes, settings.mappingBudgetBytes);
  const calls = room < 2 * plan.workload.bytesMax ? 1 : plan.fn.concurrency;
  return calls < UNBOUNDED_CALLS ? (stream.records.length * plan.fn.latencyMaxMs) / calls : 0;
}

/** What a scenario gives a function that takes as many calls as come. */
const UNBOUNDED_CALLS = 1_000;
