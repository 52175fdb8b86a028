import type { MappingView } from "../control/mapping-view.ts";
import type {
  QueueMappingResource,
  StreamMappingResource,
  TopicMappingResource,
} from "../manifests/resources.ts";
import { TOPIC_BATCHING_WINDOW_MS_DEFAULT } from "../model/limits.ts";
import { lambdaArnPrefix, type Place } from "../model/place.ts";

/**
 * An EventSourceMappingConfiguration as AWS answers it (streams §1.4): each kind of source shows members of its own.
 */
export function mappingShape(view: MappingView, place: Place): Record<string, unknown> {
  const { resource } = view;
  const { mapping } = resource;
  return {
    MaximumBatchingWindowInSeconds: mapping.batchingWindowMs / 1000,
    ...ofSource(view),
    ...filterShape(mapping.filterPatterns),
    BatchSize: mapping.batchSize,
    ...(mapping.eventSourceArn === undefined ? {} : { EventSourceArn: mapping.eventSourceArn }),
    EventSourceMappingArn: mappingArn(mapping.uuid, place),
    FunctionArn: mapping.functionArn,
    FunctionResponseTypes: mapping.reportBatchItemFailures ? ["ReportBatchItemFailures"] : [],
    LastModified: view.lastModifiedMs / 1000,
    // AWS's mappings have no names; AWS's clients pass over what they do not know.
    ...(mapping.name === mapping.uuid ? {} : { Name: mapping.name }),
    State: view.state,
    UUID: mapping.uuid,
  };
}

/** Where its function is, as all of a process. */
export function mappingArn(uuid: string, place: Place): string {
  return `${lambdaArnPrefix(place)}event-source-mapping:${uuid}`;
}

function ofSource({ resource, lastProcessingResult, problem }: MappingView): Record<string, unknown> {
  switch (resource.kind) {
    case "queue":
      return { ...queueShape(resource), ...problemShape(problem) };
    case "topic":
      return {
        ...streamShape(resource, lastProcessingResult),
        ...topicShape(resource),
        ...problemShape(problem),
      };
    case "stream":
      return {
        ...streamShape(resource, lastProcessingResult),
        StateTransitionReason: "User action",
        TumblingWindowInSeconds: resource.mapping.tumblingWindowMs / 1000,
        ...problemShape(problem),
      };
  }
}

function problemShape(problem: string | undefined): Record<string, unknown> {
  return problem === undefined ? {} : { StateTransitionReason: problem };
}

function queueShape({ mapping }: QueueMappingResource): Record<string, unknown> {
  const { concurrencyMax, provisionedPollers } = mapping;
  return {
    StateTransitionReason: "USER_INITIATED",
    ...(concurrencyMax === undefined ? {} : { ScalingConfig: { MaximumConcurrency: concurrencyMax } }),
    ...(provisionedPollers === undefined
      ? {}
      : {
          ProvisionedPollerConfig: {
            MinimumPollers: provisionedPollers.min,
            MaximumPollers: provisionedPollers.max,
          },
        }),
  };
}

function streamShape(
  { mapping }: StreamMappingResource | TopicMappingResource,
  lastProcessingResult: string,
): Record<string, unknown> {
  const { onFailureDestination, startingPosition, retryAttemptsMax, recordAgeMsMax } = mapping;
  return {
    BisectBatchOnFunctionError: mapping.bisectBatchOnFunctionError,
    DestinationConfig: {
      OnFailure: onFailureDestination === undefined ? {} : { Destination: onFailureDestination },
    },
    LastProcessingResult: lastProcessingResult,
    MaximumRecordAgeInSeconds: recordAgeMsMax === undefined ? -1 : recordAgeMsMax / 1000,
    MaximumRetryAttempts: retryAttemptsMax ?? -1,
    ParallelizationFactor: mapping.parallelizationFactor,
    StartingPosition: startingPosition.kind,
    ...(startingPosition.kind === "AT_TIMESTAMP"
      ? { StartingPositionTimestamp: startingPosition.epochMs / 1000 }
      : {}),
  };
}

/** Kafka's window of half a second is none of whole seconds, and is not shown (kafka §1). */
function topicShape({ mapping, spec }: TopicMappingResource): Record<string, unknown> {
  const isOwn = mapping.eventSourceArn === undefined;
  const config = isOwn ? "SelfManagedKafkaEventSourceConfig" : "AmazonManagedKafkaEventSourceConfig";
  const { minimumPollers, maximumPollers } = spec.provisionedPollerConfig ?? {};
  const isProvisioned = minimumPollers !== undefined || maximumPollers !== undefined;
  return {
    StateTransitionReason: "USER_INITIATED",
    Topics: [mapping.topic],
    SourceAccessConfigurations: (spec.sourceAccessConfigurations ?? []).map(({ type, uri }) => ({
      Type: type,
      URI: uri,
    })),
    [config]: { ConsumerGroupId: mapping.consumerGroupId },
    ...(isOwn
      ? { SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: mapping.bootstrapServers } } }
      : {}),
    ...(mapping.batchingWindowMs === TOPIC_BATCHING_WINDOW_MS_DEFAULT
      ? { MaximumBatchingWindowInSeconds: undefined }
      : {}),
    ...(isProvisioned
      ? { ProvisionedPollerConfig: { MinimumPollers: minimumPollers, MaximumPollers: maximumPollers } }
      : {}),
  };
}

function filterShape(patterns: readonly string[]): Record<string, unknown> {
  if (patterns.length === 0) return {};
  return { FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) } };
}
