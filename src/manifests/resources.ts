import { resolve } from "node:path";
import {
  MAXIMUM_POLLERS_DEFAULT,
  MINIMUM_POLLERS_DEFAULT,
  QUEUE_BATCH_SIZE_DEFAULT,
  STREAM_BATCH_SIZE_DEFAULT,
  TOPIC_BATCHING_WINDOW_MS_DEFAULT,
} from "../model/limits.ts";
import type { NamedByArn, QueueMapping, StreamMapping, TopicMapping } from "../model/mapping.ts";
import type {
  Connector,
  QueueConnector,
  SourceEndpoints,
  StreamConnector,
  TopicConnector,
} from "../ports/connector.ts";
import { type DestinationAddress, parseDestination } from "./destination-address.ts";
import { functionArn, parseFunctionName } from "./function-name.ts";
import { connectorOf } from "./mapping-source.ts";
import { mappingUuid } from "./mapping-uuid.ts";
import {
  type FunctionManifest,
  HTTP_CONCURRENCY_DEFAULT,
  type MappingManifest,
  MODULE_CONCURRENCY_DEFAULT,
} from "./schema.ts";
import { NOWHERE, parseSourceArn } from "./source-arn.ts";
import { epochMsOf } from "./timestamp.ts";
import { topicSettings } from "./topic-settings.ts";

/** A function as its manifest describes it, validated, with defaults filled in and paths made absolute. */
export interface FunctionResource {
  readonly name: string;
  readonly target: FunctionTargetSpec;
  readonly timeoutMs: number;
  readonly concurrency: number;
}

export type FunctionTargetSpec =
  | { readonly kind: "http"; readonly url: string }
  | {
      readonly kind: "module";
      readonly path: string;
      readonly exportName: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly memoryMb: number;
    };

export type MappingResource = StreamMappingResource | TopicMappingResource | QueueMappingResource;

export interface StreamMappingResource extends ResourceParts {
  readonly kind: "stream";
  readonly mapping: StreamMapping & NamedByArn;
  readonly connector: StreamConnector;
  /** `undefined`: discarded records are dropped and counted. */
  readonly destination: DestinationAddress | undefined;
}

export interface TopicMappingResource extends ResourceParts {
  readonly kind: "topic";
  readonly mapping: TopicMapping;
  readonly connector: TopicConnector;
  /** `undefined`: discarded records are dropped and counted. */
  readonly destination: DestinationAddress | undefined;
}

export interface QueueMappingResource extends ResourceParts {
  readonly kind: "queue";
  readonly mapping: QueueMapping;
  readonly connector: QueueConnector;
}

interface ResourceParts {
  /** `metadata.name` of the function that it invokes. */
  readonly functionName: string;
  readonly endpoints: SourceEndpoints;
  readonly tags: Readonly<Record<string, string>>;
}

/** What all mappings have in common. */
type SharedSettings = Omit<Pick<StreamMapping, keyof StreamMapping & keyof QueueMapping>, "eventSourceArn">;

/** Of a manifest that has passed all checks. */
export function functionResource(
  { metadata, spec }: FunctionManifest,
  folder: string,
): FunctionResource | undefined {
  const timeoutMs = spec.timeoutSeconds * 1000;
  if (spec.http !== undefined) {
    const concurrency = spec.reservedConcurrency ?? HTTP_CONCURRENCY_DEFAULT;
    return { name: metadata.name, target: { kind: "http", url: spec.http.url }, timeoutMs, concurrency };
  }
  if (spec.module === undefined) return undefined;
  const target: FunctionTargetSpec = {
    kind: "module",
    path: resolve(folder, spec.module.path),
    exportName: spec.module.export,
    environment: spec.module.environment ?? {},
    memoryMb: spec.module.memoryMb,
  };
  const concurrency = spec.reservedConcurrency ?? MODULE_CONCURRENCY_DEFAULT;
  return { name: metadata.name, target, timeoutMs, concurrency };
}

/** Of a manifest that has passed all checks. `undefined` only when it has not. */
export function mappingResource(
  manifest: MappingManifest,
  folder: string,
  connectors: readonly Connector[],
): MappingResource | undefined {
  const { spec } = manifest;
  const { eventSourceArn } = spec;
  const connector = connectorOf(spec, connectors);
  const shared = sharedSettings(manifest, connector);
  if (connector === undefined || shared === undefined) return undefined;
  const parts: ResourceParts = {
    functionName: shared.functionName,
    endpoints: absoluteEndpoints(spec.endpoints ?? {}, folder),
    tags: spec.tags ?? {},
  };
  if (connector.offers === "queue") {
    if (eventSourceArn === undefined) return undefined;
    const mapping = { ...queueMapping(spec, shared), eventSourceArn };
    return { kind: "queue", mapping, connector, ...parts };
  }
  const destination = destinationAddress(spec, folder);
  const settings = streamSettings(spec, shared, destination);
  if (settings === undefined) return undefined;
  if (connector.offers === "topic") {
    const mapping = { ...settings, eventSourceArn, ...topicSettings(spec, folder, shared.uuid) };
    return { kind: "topic", mapping, connector, destination, ...parts };
  }
  if (eventSourceArn === undefined) return undefined;
  return { kind: "stream", mapping: { ...settings, eventSourceArn }, connector, destination, ...parts };
}

function sharedSettings(
  { metadata, spec }: MappingManifest,
  connector: Connector | undefined,
): SharedSettings | undefined {
  const reference = parseFunctionName(spec.functionName);
  const source = spec.eventSourceArn === undefined ? NOWHERE : parseSourceArn(spec.eventSourceArn);
  if (reference === undefined || source === undefined) return undefined;
  const batchSizeDefault =
    connector?.offers === "queue" ? QUEUE_BATCH_SIZE_DEFAULT : STREAM_BATCH_SIZE_DEFAULT;
  const windowSeconds = spec.maximumBatchingWindowInSeconds;
  const windowMsDefault = connector?.offers === "topic" ? TOPIC_BATCHING_WINDOW_MS_DEFAULT : 0;
  return {
    uuid: spec.uuid?.toLowerCase() ?? mappingUuid(metadata.name),
    name: metadata.name,
    functionName: reference.name,
    functionArn: functionArn(reference, source),
    enabled: spec.enabled,
    batchSize: spec.batchSize ?? batchSizeDefault,
    batchingWindowMs: windowSeconds === undefined ? windowMsDefault : windowSeconds * 1000,
    reportBatchItemFailures: spec.functionResponseTypes.length > 0,
    filterPatterns: (spec.filterCriteria?.filters ?? []).map(({ pattern }) => pattern),
  };
}

function streamSettings(
  spec: MappingManifest["spec"],
  shared: SharedSettings,
  destination: DestinationAddress | undefined,
): Omit<StreamMapping, "eventSourceArn"> | undefined {
  const position = startingPosition(spec);
  if (position === undefined) return undefined;
  return {
    ...shared,
    startingPosition: position,
    parallelizationFactor: spec.parallelizationFactor,
    retryAttemptsMax: unlessEndless(spec.maximumRetryAttempts, 1),
    recordAgeMsMax: unlessEndless(spec.maximumRecordAgeInSeconds, 1000),
    bisectBatchOnFunctionError: spec.bisectBatchOnFunctionError,
    tumblingWindowMs: spec.tumblingWindowInSeconds * 1000,
    onFailureDestination: destination?.uri,
  };
}

function queueMapping(
  spec: MappingManifest["spec"],
  shared: SharedSettings,
): Omit<QueueMapping, "eventSourceArn"> {
  const { minimumPollers, maximumPollers } = spec.provisionedPollerConfig ?? {};
  const isProvisioned = minimumPollers !== undefined || maximumPollers !== undefined;
  return {
    ...shared,
    concurrencyMax: spec.scalingConfig?.maximumConcurrency,
    provisionedPollers: isProvisioned
      ? { min: minimumPollers ?? MINIMUM_POLLERS_DEFAULT, max: maximumPollers ?? MAXIMUM_POLLERS_DEFAULT }
      : undefined,
    strictAwsFifo: spec.strictAwsFifo,
  };
}

/** An empty text is AWS's way to remove a destination. */
function destinationAddress(spec: MappingManifest["spec"], folder: string): DestinationAddress | undefined {
  const text = spec.destinationConfig?.onFailure?.destination;
  if (text === undefined || text === "") return undefined;
  const destination = parseDestination(text, folder);
  return destination.kind === "fault" ? undefined : destination;
}

function startingPosition(spec: MappingManifest["spec"]): StreamMapping["startingPosition"] | undefined {
  if (spec.startingPosition === undefined) return undefined;
  if (spec.startingPosition !== "AT_TIMESTAMP") return { kind: spec.startingPosition };
  return { kind: "AT_TIMESTAMP", epochMs: epochMsOf(spec.startingPositionTimestamp ?? 0) };
}

/** −1 is AWS's word for no bound. */
function unlessEndless(value: number, unit: number): number | undefined {
  return value === -1 ? undefined : value * unit;
}

/** By the naming rule of endpoints: what ends in `_FILE` is a path. */
function absoluteEndpoints(endpoints: SourceEndpoints, folder: string): SourceEndpoints {
  const entries = Object.entries(endpoints).map(([name, values]) => {
    const isPath = name.endsWith("_FILE");
    return [name, isPath ? values.map((value) => resolve(folder, value)) : values] as const;
  });
  return Object.fromEntries(entries);
}
