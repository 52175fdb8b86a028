import type { MappingView } from "../control/mapping-view.ts";
import { awsMembers } from "../manifests/member-names.ts";
import type { MappingResource, QueueMappingResource, StreamMappingResource } from "../manifests/resources.ts";
import { lambdaArnPrefix, type Place } from "../model/place.ts";

/**
 * An EventSourceMappingConfiguration as AWS answers it (streams §1.4): each kind of source shows members of its own.
 */
export function mappingShape(view: MappingView, place: Place): Record<string, unknown> {
  const { resource } = view;
  const { mapping } = resource;
  return {
    // A default that is none of whole seconds is not shown (kafka §1).
    MaximumBatchingWindowInSeconds:
      mapping.batchingWindowMs % 1000 === 0 ? mapping.batchingWindowMs / 1000 : undefined,
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
  const { parameters } = resource.connector;
  const ofKind =
    resource.kind === "queue" ? queueShape(resource) : streamShape(resource, lastProcessingResult);
  return {
    ...ofKind,
    ...(parameters.stateReason === undefined ? {} : { StateTransitionReason: parameters.stateReason }),
    ...awsMembers(ownValues(resource), parameters.fields),
    ...problemShape(problem),
  };
}

function ownValues({ connector, mapping, settings }: MappingResource): Readonly<Record<string, unknown>> {
  return connector.parameters.shown?.(mapping, settings) ?? settings.own ?? {};
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
  { mapping, spec, connector: { parameters } }: StreamMappingResource,
  lastProcessingResult: string,
): Record<string, unknown> {
  const { onFailureDestination, startingPosition, retryAttemptsMax, recordAgeMsMax } = mapping;
  const hasWindows = parameters.refuses?.includes("tumblingWindowInSeconds") !== true;
  return {
    StateTransitionReason: "User action",
    ...(hasWindows ? { TumblingWindowInSeconds: mapping.tumblingWindowMs / 1000 } : {}),
    ...pollersShape(spec.provisionedPollerConfig),
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

/** As it was given: with such a source pollers have no effect. */
function pollersShape(config: MappingResource["spec"]["provisionedPollerConfig"]): Record<string, unknown> {
  const { minimumPollers, maximumPollers } = config ?? {};
  if (minimumPollers === undefined && maximumPollers === undefined) return {};
  return { ProvisionedPollerConfig: { MinimumPollers: minimumPollers, MaximumPollers: maximumPollers } };
}

function filterShape(patterns: readonly string[]): Record<string, unknown> {
  if (patterns.length === 0) return {};
  return { FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) } };
}
