import type { QueueMapping, StreamMapping } from "../../model/mapping.ts";
import type { QueueDescription } from "../../ports/queue-source.ts";
import type { StreamDescription } from "../../ports/stream-source.ts";
import type { TraceSubject } from "../../ports/tracing.ts";

export function streamSubject(
  mapping: StreamMapping,
  { kind, eventSourceArn, sourceName, consumerGroup }: StreamDescription,
  shardId: string,
): TraceSubject {
  return {
    ...functionOf(mapping),
    sourceKind: kind,
    eventSourceArn,
    shardId,
    sourceName,
    consumerGroup,
    destination: mapping.onFailureDestination,
  };
}

export function queueSubject(
  mapping: QueueMapping,
  { kind, eventSourceArn }: QueueDescription,
): TraceSubject {
  return {
    ...functionOf(mapping),
    sourceKind: kind,
    eventSourceArn,
    shardId: undefined,
    sourceName: undefined,
    consumerGroup: undefined,
    destination: undefined,
  };
}

function functionOf({ name, uuid, functionName, functionArn }: StreamMapping | QueueMapping) {
  return { mapping: name, mappingUuid: uuid, functionName, functionArn };
}
