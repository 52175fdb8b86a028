import type { z } from "zod";
import type { InvokeConfig } from "../model/invoke-config.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import { parseAsyncDestination } from "./async-destination.ts";
import type { invokeConfigSpec } from "./async-schema.ts";
import type { FunctionManifest } from "./schema.ts";

type InvokeConfigSpec = z.output<typeof invokeConfigSpec>;

const LATEST = "$LATEST";

/** What a Function says of its asynchronous events, with paths made absolute. */
export function asyncSettings(
  {
    eventInvokeConfig,
    deadLetterConfig,
    recursiveLoop,
    versions = {},
    aliases = {},
  }: FunctionManifest["spec"],
  folder: string,
  kinds: readonly DestinationKind[],
) {
  const configs = [
    [LATEST, eventInvokeConfig] as const,
    ...Object.entries(aliases).map(([name, alias]) => [name, alias.eventInvokeConfig] as const),
  ].flatMap(([qualifier, config]): [string, InvokeConfig][] =>
    config === undefined ? [] : [[qualifier, invokeConfigOf(config, folder, kinds)]],
  );
  const deadLetters = [
    [LATEST, deadLetterConfig] as const,
    ...Object.entries(versions).map(([number, version]) => [number, version.deadLetterConfig] as const),
  ].flatMap(([version, config]): [string, string][] => {
    const uri = uriOf(config?.targetArn, folder, kinds);
    return uri === undefined ? [] : [[version, uri]];
  });
  return {
    ...(configs.length === 0 ? {} : { invokeConfigs: new Map(configs) }),
    ...(deadLetters.length === 0 ? {} : { deadLetters: new Map(deadLetters) }),
    ...(recursiveLoop === "Allow" ? { allowsLoops: true } : {}),
  };
}

export function invokeConfigOf(
  spec: InvokeConfigSpec,
  folder: string,
  kinds: readonly DestinationKind[] = [],
): InvokeConfig {
  const { maximumRetryAttempts, maximumEventAgeSeconds, destinationConfig = {} } = spec;
  const onSuccess = uriOf(destinationConfig.onSuccess?.destination, folder, kinds);
  const onFailure = uriOf(destinationConfig.onFailure?.destination, folder, kinds);
  return {
    ...(maximumRetryAttempts === undefined ? {} : { maximumRetryAttempts }),
    ...(maximumEventAgeSeconds === undefined ? {} : { maximumEventAgeSeconds }),
    ...(onSuccess === undefined ? {} : { onSuccess }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}

/** As a manifest says it. */
export function invokeConfigFields(config: InvokeConfig): Readonly<Record<string, unknown>> {
  const { maximumRetryAttempts, maximumEventAgeSeconds, onSuccess, onFailure } = config;
  const routes = {
    ...(onSuccess === undefined ? {} : { onSuccess: { destination: onSuccess } }),
    ...(onFailure === undefined ? {} : { onFailure: { destination: onFailure } }),
  };
  return {
    ...(maximumRetryAttempts === undefined ? {} : { maximumRetryAttempts }),
    ...(maximumEventAgeSeconds === undefined ? {} : { maximumEventAgeSeconds }),
    ...(Object.keys(routes).length === 0 ? {} : { destinationConfig: routes }),
  };
}

/** What another version of millrace wrote stays as it is: it is opened when it is used. */
function uriOf(
  text: string | undefined,
  folder: string,
  kinds: readonly DestinationKind[],
): string | undefined {
  if (text === undefined || text === "") return undefined;
  const read = parseAsyncDestination(text, folder, kinds);
  return read.kind === "fault" ? text : read.uri;
}
