import { resolve } from "node:path";
import type { CallTimeouts } from "../model/call-timeouts.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import type { InvokeConfig } from "../model/invoke-config.ts";
import {
  MAXIMUM_POLLERS_DEFAULT,
  MINIMUM_POLLERS_DEFAULT,
  QUEUE_BATCH_SIZE_DEFAULT,
  STREAM_BATCH_SIZE_DEFAULT,
} from "../model/limits.ts";
import type { MappingPipe, QueueMapping, StreamMapping } from "../model/mapping.ts";
import { lambdaArnPrefix, type Place } from "../model/place.ts";
import type {
  Connector,
  QueueConnector,
  SourceEndpoints,
  SourceSettings,
  StreamConnector,
} from "../ports/connector.ts";
import type { SourceDestination } from "../ports/connector-parameters.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import { asyncSettings } from "./async-settings.ts";
import { type DestinationAddress, parseDestination } from "./destination-address.ts";
import { aliasOf, type FunctionAlias } from "./function-alias.ts";
import { functionArn, parseFunctionName } from "./function-name.ts";
import { MODULE_CONCURRENCY_DEFAULT, REMOTE_CONCURRENCY_DEFAULT } from "./function-schema.ts";
import { type FunctionTargetSpec, targetSpec } from "./function-target-spec.ts";
import type { MappingContext } from "./mapping-checks.ts";
import { connectorOf } from "./mapping-source.ts";
import { mappingUuid } from "./mapping-uuid.ts";
import type { FunctionManifest, MappingManifest } from "./schema.ts";
import { tenantSettings } from "./tenant-settings.ts";
import { epochMsOf } from "./timestamp.ts";

/** A function as its manifest describes it, validated, with defaults filled in and paths made absolute. */
export interface FunctionResource extends CallTimeouts {
  readonly name: string;
  readonly target: FunctionTargetSpec;
  /** The one that `target` is of, where it is to be opened; absent: `$LATEST`. */
  readonly version?: string;
  /** Published versions by number; `target` is `$LATEST`. */
  readonly versions: ReadonlyMap<string, FunctionTargetSpec>;
  readonly aliases: ReadonlyMap<string, FunctionAlias>;
  /** By version: environments that each process keeps ready. Absent: none of any. */
  readonly provisioned?: ReadonlyMap<string, number>;
  readonly concurrency: number;
  /** Its `reservedConcurrency`, which holds over all processes of a store. */
  readonly isReserved: boolean;
  readonly isConcurrencyAdaptive: boolean;
  /** What may be told of its failures. */
  readonly errorDetails: ErrorDetails;
  /** By qualifier, `$LATEST` for the function itself: how asynchronous events are retried. Absent: by the defaults. */
  readonly invokeConfigs?: ReadonlyMap<string, InvokeConfig>;
  /** By version: dead-letter targets of asynchronous events. */
  readonly deadLetters?: ReadonlyMap<string, string>;
  /** Chains of events may pass it without end. */
  readonly allowsLoops?: boolean;
}

export type MappingResource = StreamMappingResource | QueueMappingResource;

export interface StreamMappingResource extends ResourceParts {
  readonly kind: "stream";
  readonly mapping: StreamMapping;
  readonly connector: StreamConnector;
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
  /** What its connector gets besides the mapping. */
  readonly settings: SourceSettings;
  readonly tags: Readonly<Record<string, string>>;
  /** As checked, with defaults filled in and paths as written. */
  readonly spec: MappingManifest["spec"];
}

/** What all mappings have in common. */
type SharedSettings = Omit<Pick<StreamMapping, keyof StreamMapping & keyof QueueMapping>, "eventSourceArn">;

/** The resource of a manifest that has passed all checks; `undefined` only when it has not. */
export function functionResource(
  { metadata, spec }: FunctionManifest,
  folder: string,
  kinds: readonly DestinationKind[] = [],
): FunctionResource | undefined {
  const target = targetSpec(spec, folder);
  if (target === undefined) return undefined;
  const versions = Object.entries(spec.versions ?? {}).flatMap(([number, version]) => {
    const versionTarget = targetSpec(version, folder);
    return versionTarget === undefined ? [] : [[number, versionTarget] as const];
  });
  const targets = [target, ...versions.map(([, version]) => version)];
  return {
    name: metadata.name,
    target,
    versions: new Map(versions),
    aliases: new Map(Object.entries(spec.aliases ?? {}).map(([name, alias]) => [name, aliasOf(alias)])),
    timeoutMs: spec.timeoutSeconds * 1000,
    ...versionTimeouts(spec),
    concurrency: spec.reservedConcurrency ?? concurrencyDefault(targets),
    isReserved: spec.reservedConcurrency !== undefined,
    isConcurrencyAdaptive: spec.adaptiveConcurrency,
    errorDetails: spec.errorDetails,
    ...asyncSettings(spec, folder, kinds),
  };
}

function versionTimeouts({
  versions = {},
}: FunctionManifest["spec"]): Pick<FunctionResource, "versionTimeoutsMs"> {
  const own = Object.entries(versions).flatMap(([number, { timeoutSeconds }]) =>
    timeoutSeconds === undefined ? [] : [[number, timeoutSeconds * 1000] as const],
  );
  return own.length === 0 ? {} : { versionTimeoutsMs: new Map(own) };
}

/** As many calls as its environments may take, where it runs here. */
function concurrencyDefault(targets: readonly FunctionTargetSpec[]): number {
  const bounds = targets.flatMap((target) => {
    if (target.kind === "module") return [MODULE_CONCURRENCY_DEFAULT];
    if (target.kind !== "runtime") return [];
    const { environmentsMax = MODULE_CONCURRENCY_DEFAULT, invocationsPerEnvironment } = target.scaling;
    return [environmentsMax * invocationsPerEnvironment];
  });
  return bounds.length === 0 ? REMOTE_CONCURRENCY_DEFAULT : Math.max(...bounds);
}

/** The resource of a manifest that has passed all checks; `undefined` only when it has not. */
export function mappingResource(
  manifest: MappingManifest,
  folder: string,
  { connectors, destinations, place }: Pick<MappingContext, "connectors" | "destinations" | "place">,
): MappingResource | undefined {
  const { spec } = manifest;
  const { eventSourceArn } = spec;
  const connector = connectorOf(spec, connectors);
  const shared = sharedSettings(manifest, connector, place);
  if (connector === undefined || shared === undefined) return undefined;
  const endpoints = absoluteEndpoints(spec.endpoints ?? {}, folder);
  const parts: ResourceParts = {
    functionName: shared.functionName,
    endpoints,
    settings: { endpoints, own: ownFieldsOf(spec, connector), folder },
    tags: spec.tags ?? {},
    spec,
  };
  if (connector.offers === "queue") {
    if (eventSourceArn === undefined) return undefined;
    const mapping = { ...queueMapping(spec, shared, connector), eventSourceArn };
    return { kind: "queue", mapping, connector, ...parts };
  }
  const { defaults = {}, destination: ofSource } = connector.parameters;
  const destination = destinationAddress(spec, folder, ofSource, destinations);
  const position = startingPosition(spec, defaults.startingPosition);
  const settings = streamSettings(spec, shared, destination, position);
  if (settings === undefined) return undefined;
  const retriesDefault = destination === undefined ? undefined : defaults.retryAttemptsWithDestination;
  const retryAttemptsMax = settings.retryAttemptsMax ?? retriesDefault;
  const mapping = { ...settings, eventSourceArn, retryAttemptsMax };
  return { kind: "stream", mapping, connector, destination, ...parts };
}

function ownFieldsOf(
  spec: Readonly<Record<string, unknown>>,
  { parameters: { fields } }: Connector,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => name in fields));
}

function sharedSettings(
  { metadata, spec }: MappingManifest,
  connector: Connector | undefined,
  place: Place,
): SharedSettings | undefined {
  const reference = parseFunctionName(spec.functionName);
  if (reference === undefined) return undefined;
  const batchSizeDefault =
    connector?.offers === "queue" ? QUEUE_BATCH_SIZE_DEFAULT : STREAM_BATCH_SIZE_DEFAULT;
  const windowSeconds = spec.maximumBatchingWindowInSeconds;
  const windowMsDefault = connector?.parameters.defaults?.batchingWindowMs ?? 0;
  const uuid = spec.uuid?.toLowerCase() ?? mappingUuid(metadata.name);
  const pipe = pipeOf(spec, uuid, place);
  return {
    uuid,
    ...(pipe === undefined ? {} : { pipe }),
    name: metadata.name,
    functionName: reference.name,
    functionArn: functionArn(reference, place),
    enabled: spec.enabled,
    batchSize: spec.batchSize ?? connector?.parameters.defaults?.batchSize ?? batchSizeDefault,
    batchingWindowMs: windowSeconds === undefined ? windowMsDefault : windowSeconds * 1000,
    reportBatchItemFailures: spec.functionResponseTypes.length > 0,
    filterPatterns: (spec.filterCriteria?.filters ?? []).map(({ pattern }) => pattern),
  };
}

function pipeOf(spec: MappingManifest["spec"], uuid: string, place: Place): MappingPipe | undefined {
  const reference = spec.enrichment === undefined ? undefined : parseFunctionName(spec.enrichment);
  const inputTemplate = spec.targetParameters?.inputTemplate;
  if (reference === undefined && inputTemplate === undefined) return undefined;
  const enrichment = reference && {
    functionName: reference.name,
    functionArn: functionArn(reference, place),
    inputTemplate: spec.enrichmentParameters?.inputTemplate,
  };
  return { enrichment, inputTemplate, arn: `${lambdaArnPrefix(place)}event-source-mapping:${uuid}` };
}

function streamSettings(
  spec: MappingManifest["spec"],
  shared: SharedSettings,
  destination: DestinationAddress | undefined,
  position: StreamMapping["startingPosition"] | undefined,
): Omit<StreamMapping, "eventSourceArn"> | undefined {
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
  { parameters: { defaults } }: QueueConnector,
): Omit<QueueMapping, "eventSourceArn"> {
  const { minimumPollers, maximumPollers } = spec.provisionedPollerConfig ?? {};
  const isProvisioned = minimumPollers !== undefined || maximumPollers !== undefined;
  return {
    ...shared,
    concurrencyMax: spec.scalingConfig?.maximumConcurrency ?? defaults?.concurrencyMax,
    provisionedPollers: isProvisioned
      ? { min: minimumPollers ?? MINIMUM_POLLERS_DEFAULT, max: maximumPollers ?? MAXIMUM_POLLERS_DEFAULT }
      : undefined,
    strictAwsFifo: spec.strictAwsFifo,
    ...(spec.tenant === undefined ? {} : { tenant: tenantSettings(spec.tenant) }),
  };
}

/** An empty text is AWS's way to remove a destination. */
function destinationAddress(
  spec: MappingManifest["spec"],
  folder: string,
  ofSource: SourceDestination | undefined,
  brought: readonly DestinationKind[] | undefined,
): DestinationAddress | undefined {
  const text = spec.destinationConfig?.onFailure?.destination;
  if (text === undefined || text === "") return undefined;
  const destination = parseDestination(text, folder, ofSource === undefined ? [] : [ofSource], brought);
  return destination.kind === "fault" ? undefined : destination;
}

function startingPosition(
  spec: MappingManifest["spec"],
  initial: StreamMapping["startingPosition"]["kind"] | undefined,
): StreamMapping["startingPosition"] | undefined {
  const kind = spec.startingPosition ?? initial;
  if (kind !== "AT_TIMESTAMP") return kind && { kind };
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
