import type { MappingDeployment } from "../engine/engine.ts";
import { type ParkedEvents, parkedSubject } from "../engine/parked-batch.ts";
import type { RedriveMapping } from "./redrive-context.ts";

/** A mapping that runs here, as its redrives see it. */
export function redriveMappingOf(
  deployment: MappingDeployment,
  routeOf: RedriveMapping["routeOf"],
): RedriveMapping {
  const { uuid, name, functionName, functionArn, batchSize, reportBatchItemFailures } = deployment.mapping;
  // A queue's own policy counts receives; a redrive receives nothing.
  const retryAttemptsMax = deployment.kind === "stream" ? deployment.mapping.retryAttemptsMax : undefined;
  return {
    uuid,
    name,
    functionName,
    functionArn,
    batchSize,
    reportBatchItemFailures,
    retryAttemptsMax,
    events: eventsOf(deployment),
    subject: (shardId) => parkedSubject(deployment, shardId),
    routeOf,
  };
}

function eventsOf(deployment: MappingDeployment): ParkedEvents {
  if (deployment.kind === "stream") {
    const { events, description } = deployment.source;
    const { readItemIdentifier, partialRetry } = events;
    return {
      eventSourceArn: description.eventSourceArn,
      oversizedRecord: description.oversizedRecord,
      eventOf: (shardId, elements) => events.eventOf(shardId, elements),
      envelopeBytes: (shardId) => events.envelopeBytes(shardId),
      ...(readItemIdentifier === undefined ? {} : { readItemIdentifier: readItemIdentifier.bind(events) }),
      ...(partialRetry === undefined ? {} : { partialRetry }),
    };
  }
  const { events, description } = deployment.source;
  return {
    eventSourceArn: description.eventSourceArn,
    oversizedRecord: undefined,
    eventOf: (_shardId, elements) => events.eventOf(elements),
    envelopeBytes: () => events.envelopeBytes,
    // A message that is listed holds back its group, and no other.
    partialRetry: "listed",
  };
}
