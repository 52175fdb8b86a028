import { tmpdir } from "node:os";
import { basename, dirname, extname } from "node:path";
import type { RuntimeDescription } from "./module-messages.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a function is given of this process's variables, and whose AWS credentials. */
export interface GivenEnvironment {
  /** Names of variables that are passed on beside those that every function gets. */
  readonly inheritEnvironment?: readonly string[];
  /**
   * `none` (also without this member). `inherit`: this process's `AWS_…` variables, and its home folder with the files
   * there. `env:PREFIX`: the `AWS_…` variables that stand in this process's environment behind the prefix.
   */
  readonly credentials?: string;
  /** Where the function finds itself, unless it has this process's AWS variables. */
  readonly region?: string | undefined;
  /** The function's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * All that a function sees of this process by itself. An allow-list: the environment of an engine holds its passwords
 * under names that nobody can foresee (`PGPASSWORD`, headers of an OTLP endpoint, what a manifest's `env:` names).
 */
const FOR_EVERYBODY: readonly string[] = [
  "PATH",
  "LANG",
  "TZ",
  "NODE_EXTRA_CA_CERTS",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  // Where the function runs; Lambda sets both.
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
];

const AWS_PREFIX = "AWS_";
const PREFIXED = "env:";

/**
 * The environment of a function: what it was given of the engine's, Lambda's own variables, and those of its manifest.
 */
export function lambdaEnvironment(
  runtime: RuntimeDescription,
  given: GivenEnvironment,
  engine: Environment,
): Record<string, string> {
  return { ...inheritedVariables(given, engine), ...lambdaVariables(runtime), ...given.environment };
}

/** What a function gets of the engine's environment. */
export function inheritedVariables(given: GivenEnvironment, engine: Environment): Record<string, string> {
  const { inheritEnvironment = [], credentials = "none", region } = given;
  const isInheriting = credentials === "inherit";
  return {
    HOME: isInheriting ? (engine["HOME"] ?? tmpdir()) : tmpdir(),
    ...picked(engine, FOR_EVERYBODY),
    ...(isInheriting || region === undefined ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region }),
    ...(isInheriting ? behind("", engine) : {}),
    ...(credentials.startsWith(PREFIXED) ? behind(credentials.slice(PREFIXED.length), engine) : {}),
    ...picked(engine, inheritEnvironment),
  };
}

function picked(engine: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(engine, name) ? engine[name] : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** `PREFIX_AWS_ACCESS_KEY_ID` is the function's `AWS_ACCESS_KEY_ID`, for the prefix `PREFIX_`. */
function behind(prefix: string, engine: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(engine).flatMap(([name, value]) =>
      value !== undefined && name.startsWith(prefix + AWS_PREFIX)
        ? [[name.slice(prefix.length), value] as const]
        : [],
    ),
  );
}

/** The variables that Lambda's Node runtime sets. */
function lambdaVariables(runtime: RuntimeDescription): Record<string, string> {
  return {
    _HANDLER: `${basename(runtime.path, extname(runtime.path))}.${runtime.exportName}`,
    LAMBDA_TASK_ROOT: dirname(runtime.path),
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: runtime.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(runtime.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: runtime.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: runtime.logStreamName,
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  };
}
