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

/** Record after record, where a read or a budget has room for no more than two of them. */
function streamMs({ plan, stream }: MappingHistory, settings: Scenario["settings"]): number {
  const room = Math.min(settings.readBytes, settings.mappingBudgetBytes);
  return room < 2 * plan.workload.bytesMax ? stream.records.length * plan.fn.latencyMaxMs : 0;
}
