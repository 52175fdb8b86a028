import type { QueueMapping, StreamMapping, TopicMapping } from "../../model/mapping.ts";
import type { QueueDescription } from "../../ports/queue-source.ts";
import type { StreamDescription } from "../../ports/stream-source.ts";
import type { TraceSubject } from "../../ports/tracing.ts";

export function streamSubject(
  mapping: StreamMapping | TopicMapping,
  { kind, eventSourceArn }: StreamDescription,
  shardId: string,
): TraceSubject {
  const isTopic = "topic" in mapping;
  return {
    ...functionOf(mapping),
    sourceKind: kind,
    eventSourceArn,
    shardId,
    topic: isTopic ? mapping.topic : undefined,
    consumerGroupId: isTopic ? mapping.consumerGroupId : undefined,
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
    topic: undefined,
    consumerGroupId: undefined,
    destination: undefined,
  };
}

function functionOf({ name, uuid, functionName, functionArn }: StreamMapping | QueueMapping) {
  return { mapping: name, mappingUuid: uuid, functionName, functionArn };
}
