import type { MappingView } from "../control/mapping-control.ts";
import type { QueueMappingResource, StreamMappingResource } from "../manifests/resources.ts";
import { parseSourceArn } from "../manifests/source-arn.ts";

/** An EventSourceMappingConfiguration as AWS answers it (streams §1.4): queues show fewer members than streams. */
export function mappingShape(view: MappingView): Record<string, unknown> {
  const { resource } = view;
  const { mapping } = resource;
  return {
    ...(resource.kind === "queue" ? queueShape(resource) : streamShape(resource, view.lastProcessingResult)),
    ...filterShape(mapping.filterPatterns),
    BatchSize: mapping.batchSize,
    EventSourceArn: mapping.eventSourceArn,
    EventSourceMappingArn: mappingArn(mapping.eventSourceArn, mapping.uuid),
    FunctionArn: mapping.functionArn,
    FunctionResponseTypes: mapping.reportBatchItemFailures ? ["ReportBatchItemFailures"] : [],
    LastModified: view.lastModifiedMs / 1000,
    MaximumBatchingWindowInSeconds: mapping.batchingWindowMs / 1000,
    State: view.state,
    UUID: mapping.uuid,
  };
}

export function mappingArn(eventSourceArn: string, uuid: string): string {
  const source = parseSourceArn(eventSourceArn);
  const region = source?.region ?? "us-east-1";
  return `arn:aws:lambda:${region}:${source?.account ?? "000000000000"}:event-source-mapping:${uuid}`;
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
  { mapping }: StreamMappingResource,
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
    StateTransitionReason: "User action",
    TumblingWindowInSeconds: mapping.tumblingWindowMs / 1000,
  };
}

function filterShape(patterns: readonly string[]): Record<string, unknown> {
  if (patterns.length === 0) return {};
  return { FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) } };
}
