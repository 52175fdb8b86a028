import { DEFAULT_SETTINGS, type EngineSettings } from "../engine/settings.ts";
import { MillraceError } from "../model/errors.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import type { NetworkReach } from "../model/network-reach.ts";
import { isHostPattern, isLoopbackHost } from "../network/reachable-address.ts";
import type { LogLevel } from "../ports/telemetry.ts";
import type { ManifestOwner } from "../resources/owner.ts";
import type { CliHost, Flags } from "./command.ts";
import { ENDPOINT_FLAG, readEndpoints } from "./endpoint-flags.ts";
import { FRONT_FLAGS, readFront } from "./front-flags.ts";
import { KUBERNETES_FLAGS, KUBERNETES_SET, readKubernetes } from "./kubernetes-flags.ts";
import { digestNamed, FILENAME_FLAG, foldersNamed, loadNamed } from "./manifest-flags.ts";
import { lastValue, usageError, wholeNumber } from "./parse-flags.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";
import { PROMETHEUS_FLAG, readPrometheus } from "./prometheus-flag.ts";
import type { RunOptions } from "./run-options.ts";
import { readSns, SNS_FLAGS } from "./sns-flags.ts";
import { DEFAULT_STORE, parseEventQueue, parseStoreUrl, STORE_FLAGS } from "./store-url.ts";
import { TEMPLATE_FLAGS } from "./template-flags.ts";

const DEFAULT_API = "127.0.0.1:8080";
const DEFAULT_SOURCES_API = "127.0.0.1:8081";
/** Less than the 30 s that Kubernetes and most supervisors give before they kill. */
const DEFAULT_DRAIN_SECONDS = 25;
const DRAIN_SECONDS_MAX = 86_400;
const CHECKPOINT_INTERVAL_MS_MAX = 60_000;
const DEFAULT_SET = "default";
const REVISION_MAX = 2_147_483_647;
const ACCOUNT_CONCURRENCY_MAX = 1_000_000;
const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Flags of commands that run mappings. */
export const RUN_FLAGS = {
  filename: {
    ...FILENAME_FLAG,
    isRequired: false,
    description: `${FILENAME_FLAG.description} Without it: what the API made.`,
  },
  api: {
    value: "HOST:PORT",
    description: `Where Lambda's API, health, metrics and status are served; port 0 takes a free one, off serves none. Default ${DEFAULT_API}.`,
  },
  "api-credentials": {
    value: "FILE",
    description:
      "Who may use the API: tokens and keys with their roles. Needed for addresses that are not loopback.",
  },
  "api-host": {
    value: "NAME",
    isRepeatable: true,
    description: "Name that the API answers to, besides local ones and its address. May be repeated.",
  },
  "sources-api": {
    value: "HOST:PORT",
    implied: DEFAULT_SOURCES_API,
    description:
      "Serves producers of Kinesis and SQS there, whose clients write to streams and queues that millrace keeps itself by " +
      `AWS_ENDPOINT_URL_KINESIS and AWS_ENDPOINT_URL_SQS. Without an address: ${DEFAULT_SOURCES_API}. Default: none.`,
  },
  ...FRONT_FLAGS,
  ...SNS_FLAGS,
  page: {
    value: "on|off",
    description: "Whether the page at / of the API's address is served. Default on.",
  },
  metrics: {
    value: "HOST:PORT",
    description: "Serves metrics and health there, to whoever asks, and not on the API's address.",
  },
  ...STORE_FLAGS,
  packages: {
    value: "URL",
    description:
      "Where code of functions is kept that the API takes: dir:PATH or s3:BUCKET/PREFIX, which all hosts of the store " +
      "share; off takes none. Default: beside the file of a sqlite: store. Without it no code is taken with stores of " +
      "several hosts, nor at an API address that is not loopback: who may send code runs it here.",
  },
  endpoint: ENDPOINT_FLAG,
  ...TEMPLATE_FLAGS,
  ...PLACE_FLAGS,
  "broker-hosts": {
    value: "HOST",
    isRepeatable: true,
    description:
      "Name (broker.internal, *.broker.internal), address or block (10.0.0.0/8) where the brokers of mappings may be that callers of the API make; no others are called. May be repeated. Manifests name what they like.",
  },
  watch: {
    description:
      "Read manifests, modules and what these import again when their files change: one error changes nothing, and only what changed restarts.",
  },
  "account-concurrency": {
    value: "N",
    description:
      "Calls of functions at once, of all together in all processes of the store: those that reserve no concurrency " +
      "share what the others leave. Default: no such bound.",
  },
  strict: {
    description:
      "End at once when a mapping of a manifest cannot be started. Default: the others run, and it is tried again.",
  },
  adopt: {
    description: "Have the API own the mappings of the manifests from now on, with their checkpoints.",
  },
  "manifest-set": {
    value: "NAME",
    description:
      "Name of the set that the manifests are: what is declared in a set is changed by this set alone. Processes of one " +
      `store with other manifests name another. Default ${DEFAULT_SET}.`,
  },
  "manifest-revision": {
    value: "N",
    description:
      "Revision of the manifests, such as a Helm release's: one that is lower than what was applied before changes " +
      "nothing. Default 0.",
  },
  ...KUBERNETES_FLAGS,
  processes: {
    value: "N",
    description:
      "How many processes of this host run the mappings, by the store's leases. One that ends is started again; " +
      "the API's address, metrics and status are of all. Default 1.",
  },
  "process-id": { value: "ID", description: "Stands as process in each log line." },
  "log-level": { value: "LEVEL", description: `${LOG_LEVELS.join(", ")}. Default info.` },
  "error-details": {
    value: "full|type",
    description:
      "What is kept and shown of failures of functions, redacted. type: the error's type and id alone, whatever functions are declared with. Default full.",
  },
  "log-error-text": {
    description:
      "Write the message and stack of each new error of a function into the log, too. Default: its type and id.",
  },
  otlp: {
    value: "URL",
    description:
      "Where spans of invocations are sent, by OTLP over HTTP: a collector's base URL such as http://127.0.0.1:4318; off " +
      "sends none. Default: what OTEL_EXPORTER_OTLP_ENDPOINT and its siblings say, else off.",
  },
  ...PROMETHEUS_FLAG,
  "drain-seconds": {
    value: "N",
    description: `How long running invocations may take to end at a stop. Default ${DEFAULT_DRAIN_SECONDS}.`,
  },
  "until-caught-up": {
    description: "End by itself once everything that the sources hold is processed and checkpointed.",
  },
  "aws-read-path": {
    value: "hand|sdk",
    description:
      "Who asks for records and messages of AWS and reads them: hand-made calls, at a third of the CPU time, or the AWS SDK, if a " +
      "service or an emulator answers in a form that only the SDK knows. Default hand.",
  },
  "checkpoint-interval-ms": {
    value: "N",
    description: `Shortest time between two checkpoints of a shard. Default ${DEFAULT_SETTINGS.checkpointIntervalMs}.`,
  },
} as const;

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function readRunOptions(flags: Flags, host: CliHost): RunOptions {
  return {
    api: {
      address: lastValue(flags, "api") ?? DEFAULT_API,
      credentialsFile: lastValue(flags, "api-credentials"),
      hosts: flags.get("api-host") ?? [],
      metricsAddress: lastValue(flags, "metrics"),
      sourcesAddress: lastValue(flags, "sources-api"),
      isPageShown: isPageShown(flags),
      sns: readSns(flags),
    },
    front: readFront(flags),
    ...readStore(flags),
    packages: packagesPlace(flags),
    logLevel: logLevel(flags),
    errorDetails: errorDetails(flags),
    logsErrorText: flags.has("log-error-text"),
    otlp: lastValue(flags, "otlp"),
    prometheus: readPrometheus(flags),
    awsReadPath: awsReadPath(flags),
    drainMs: drainSeconds(flags) * 1000,
    settings: engineSettings(flags),
    untilCaughtUp: flags.has("until-caught-up"),
    endpoints: readEndpoints(flags, host.adapters.connectors),
    reach: brokerReach(flags),
    place: readPlace(flags, host),
    kubernetes: readKubernetes(flags),
    owner: manifestOwner(flags),
    isAdopting: flags.has("adopt"),
    isStrict: flags.has("strict"),
    accountConcurrency: wholeNumber(flags, "account-concurrency", { min: 1, max: ACCOUNT_CONCURRENCY_MAX }),
    processId: processId(flags),
    readAgain: () => loadNamed(flags, host),
    watched: flags.has("watch")
      ? { known: digestNamed(flags), manifests: () => digestNamed(flags), folders: () => foldersNamed(flags) }
      : undefined,
    dev: undefined,
  };
}

export function readStore(flags: Flags): Pick<RunOptions, "store" | "eventQueue"> {
  const store = parseStoreUrl(lastValue(flags, "store") ?? DEFAULT_STORE);
  const arn = lastValue(flags, "async-queue");
  return arn === undefined ? { store } : { store, eventQueue: parseEventQueue(arn) };
}

/** Who sends code runs it: from elsewhere only where the operator has named a place for it. */
function packagesPlace(flags: Flags): string | undefined {
  return lastValue(flags, "packages") ?? (isApiOfThisHost(flags) ? undefined : "off");
}

function isApiOfThisHost(flags: Flags): boolean {
  const address = lastValue(flags, "api") ?? DEFAULT_API;
  return isLoopbackHost(/^\[?(.+?)\]?:\d+$/.exec(address)?.[1] ?? "");
}

/** Callers of an API on loopback are on this machine, and may name what is on it. */
export function brokerReach(flags: Flags): NetworkReach {
  const allowsLoopback = isApiOfThisHost(flags);
  const hosts = flags.get("broker-hosts");
  const wrong = hosts?.find((host) => !isHostPattern(host));
  if (wrong !== undefined) {
    const shown = JSON.stringify(wrong.slice(0, 200));
    throw usageError(
      `--broker-hosts is ${shown}. Give a name, *.NAME, an address or a block such as 10.0.0.0/8.`,
    );
  }
  return hosts === undefined ? { allowsLoopback } : { allowsLoopback, hosts };
}

export function logLevel(flags: Flags): LogLevel {
  const given = lastValue(flags, "log-level") ?? "info";
  const level = LOG_LEVELS.find((known) => known === given);
  if (level !== undefined) return level;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `--log-level is ${JSON.stringify(given.slice(0, 80))}. Give one of ${LOG_LEVELS.join(", ")}.`,
  );
}

function errorDetails(flags: Flags): ErrorDetails {
  const given = lastValue(flags, "error-details") ?? "full";
  if (given === "full" || given === "type") return given;
  throw usageError(`--error-details is ${JSON.stringify(given.slice(0, 80))}. Give full or type.`);
}

function awsReadPath(flags: Flags): RunOptions["awsReadPath"] {
  const given = lastValue(flags, "aws-read-path") ?? "hand";
  if (given === "hand" || given === "sdk") return given;
  throw usageError(`--aws-read-path is ${JSON.stringify(given.slice(0, 80))}. Give hand or sdk.`);
}

function manifestOwner(flags: Flags): ManifestOwner {
  // Without manifests it is of no set: what those of a set declare is run by who has them.
  const set = lastValue(flags, "manifest-set") ?? defaultSet(flags);
  if (set === undefined) return { kind: "manifest", set: "" };
  if (!/^[\w.-]{1,64}$/.test(set)) {
    throw usageError(
      `--manifest-set is ${JSON.stringify(set.slice(0, 80))}. Give 1 to 64 letters, digits and _ . -`,
    );
  }
  const revision = wholeNumber(flags, "manifest-revision", { min: 0, max: REVISION_MAX });
  return { kind: "manifest", set, ...(revision === undefined ? {} : { revision }) };
}

function defaultSet(flags: Flags): string | undefined {
  if (flags.has("kubernetes")) return KUBERNETES_SET;
  return flags.has("filename") ? DEFAULT_SET : undefined;
}

/** A word of its own: it stands in log lines, and before what functions print. */
function processId(flags: Flags): string | undefined {
  const id = lastValue(flags, "process-id");
  if (id === undefined || /^[\w.-]{1,64}$/.test(id)) return id;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `--process-id is ${JSON.stringify(id.slice(0, 80))}. Give 1 to 64 letters, digits and _ . -`,
  );
}

function drainSeconds(flags: Flags): number {
  return wholeNumber(flags, "drain-seconds", { min: 0, max: DRAIN_SECONDS_MAX }) ?? DEFAULT_DRAIN_SECONDS;
}

function engineSettings(flags: Flags): EngineSettings {
  const bounds = { min: 0, max: CHECKPOINT_INTERVAL_MS_MAX };
  const checkpointIntervalMs = wholeNumber(flags, "checkpoint-interval-ms", bounds);
  return checkpointIntervalMs === undefined
    ? DEFAULT_SETTINGS
    : { ...DEFAULT_SETTINGS, checkpointIntervalMs };
}

function isPageShown(flags: Flags): boolean {
  const value = lastValue(flags, "page") ?? "on";
  if (value !== "on" && value !== "off")
    throw usageError(`--page takes on or off, not ${JSON.stringify(value)}.`);
  return value === "on";
}
