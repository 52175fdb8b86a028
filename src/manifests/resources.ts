import { resolve } from "node:path";
import type { StreamMapping } from "../model/mapping.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import { type DestinationAddress, parseDestination } from "./destination-address.ts";
import { functionArn, parseFunctionName } from "./function-name.ts";
import { connectorOf } from "./mapping-checks.ts";
import { mappingUuid } from "./mapping-uuid.ts";
import {
  type FunctionManifest,
  HTTP_CONCURRENCY_DEFAULT,
  type MappingManifest,
  MODULE_CONCURRENCY_DEFAULT,
} from "./schema.ts";
import { parseSourceArn } from "./source-arn.ts";
import { epochMsOf } from "./timestamp.ts";

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

export interface MappingResource {
  readonly mapping: StreamMapping;
  /** `metadata.name` of the function that it invokes. */
  readonly functionName: string;
  readonly connector: Connector;
  /** `undefined`: discarded records are dropped and counted. */
  readonly destination: DestinationAddress | undefined;
  readonly endpoints: SourceEndpoints;
  readonly tags: Readonly<Record<string, string>>;
}

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
  { metadata, spec }: MappingManifest,
  folder: string,
  connectors: readonly Connector[],
): MappingResource | undefined {
  const reference = parseFunctionName(spec.functionName);
  const source = parseSourceArn(spec.eventSourceArn);
  const connector = connectorOf(spec.eventSourceArn, connectors);
  if (reference === undefined || source === undefined || connector === undefined) return undefined;
  const destination = destinationAddress(spec, folder);
  const mapping: StreamMapping = {
    uuid: spec.uuid?.toLowerCase() ?? mappingUuid(metadata.name),
    name: metadata.name,
    functionName: reference.name,
    functionArn: functionArn(reference, source),
    eventSourceArn: spec.eventSourceArn,
    enabled: spec.enabled,
    startingPosition: startingPosition(spec),
    batchSize: spec.batchSize,
    batchingWindowMs: spec.maximumBatchingWindowInSeconds * 1000,
    parallelizationFactor: spec.parallelizationFactor,
    retryAttemptsMax: unlessEndless(spec.maximumRetryAttempts, 1),
    recordAgeMsMax: unlessEndless(spec.maximumRecordAgeInSeconds, 1000),
    bisectBatchOnFunctionError: spec.bisectBatchOnFunctionError,
    reportBatchItemFailures: spec.functionResponseTypes.length > 0,
    tumblingWindowMs: spec.tumblingWindowInSeconds * 1000,
    filterPatterns: (spec.filterCriteria?.filters ?? []).map(({ pattern }) => pattern),
    onFailureDestination: destination?.uri,
  };
  const endpoints = absoluteEndpoints(spec.endpoints ?? {}, folder);
  return { mapping, functionName: reference.name, connector, destination, endpoints, tags: spec.tags ?? {} };
}

/** An empty text is AWS's way to remove a destination. */
function destinationAddress(spec: MappingManifest["spec"], folder: string): DestinationAddress | undefined {
  const text = spec.destinationConfig?.onFailure?.destination;
  if (text === undefined || text === "") return undefined;
  const destination = parseDestination(text, folder);
  return destination.kind === "fault" ? undefined : destination;
}

function startingPosition(spec: MappingManifest["spec"]): StreamMapping["startingPosition"] {
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
