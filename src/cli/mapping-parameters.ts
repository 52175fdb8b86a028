import { MillraceError } from "../model/errors.ts";
import { isObject, type JsonObject } from "./api-client.ts";
import type { Flag, Flags } from "./command.ts";
import { readNamedFile } from "./flag-file.ts";
import { lastValue, usageError } from "./parse-flags.ts";

type Values = readonly string[];

/** One of AWS's parameters as a flag, under the name that AWS's command line has for it where it has one. */
interface Parameter {
  readonly flag: string;
  /** Member of Lambda's request. */
  readonly member: string;
  readonly value: string;
  readonly description: string;
  readonly isRepeatable?: boolean;
  /** Create alone takes it; Update leaves it as it is (streams §1.3). */
  readonly isImmutable?: boolean;
  read(values: Values, flag: string): unknown;
}

const PARAMETERS: readonly Parameter[] = [
  text("event-source-arn", "EventSourceArn", "ARN", "The source.", true),
  text("function-name", "FunctionName", "NAME", "The function: NAME, NAME:QUALIFIER or its ARN."),
  text(
    "starting-position",
    "StartingPosition",
    "POSITION",
    "Of streams and topics: TRIM_HORIZON, LATEST or AT_TIMESTAMP.",
    true,
  ),
  {
    flag: "starting-position-timestamp",
    member: "StartingPositionTimestamp",
    value: "TIME",
    description: "With AT_TIMESTAMP: seconds since 1970, or a date such as 2026-01-31T12:00:00Z.",
    isImmutable: true,
    read: readTime,
  },
  number("batch-size", "BatchSize", "Records of an invocation, at most."),
  number(
    "maximum-batching-window-in-seconds",
    "MaximumBatchingWindowInSeconds",
    "How long a batch is filled.",
  ),
  number("parallelization-factor", "ParallelizationFactor", "Batches of a shard at once."),
  number(
    "maximum-retry-attempts",
    "MaximumRetryAttempts",
    "Retries before a batch is given up; -1: no limit.",
  ),
  number(
    "maximum-record-age-in-seconds",
    "MaximumRecordAgeInSeconds",
    "Age at which records are given up; -1: none.",
  ),
  number("tumbling-window-in-seconds", "TumblingWindowInSeconds", "Length of tumbling windows; 0: none."),
  list("function-response-types", "FunctionResponseTypes", "TYPE", "ReportBatchItemFailures."),
  {
    ...list("filter", "FilterCriteria", "PATTERN", "A filter pattern, as JSON."),
    read: (values) => ({ Filters: values.map((Pattern) => ({ Pattern })) }),
  },
  {
    ...text("on-failure", "DestinationConfig", "ARN", "Where records go that are given up."),
    read: ([Destination]) => ({ OnFailure: { Destination } }),
  },
  {
    ...number("maximum-concurrency", "ScalingConfig", "Of queues: invocations at once."),
    read: ([value = ""], flag) => ({ MaximumConcurrency: readNumber([value], flag) }),
  },
  list("topics", "Topics", "TOPIC", "Of Kafka: the topic.", true),
  {
    ...list("bootstrap-server", "SelfManagedEventSource", "HOST:PORT", "Of Kafka: a broker.", true),
    read: (values) => ({ Endpoints: { KAFKA_BOOTSTRAP_SERVERS: values } }),
  },
  {
    ...list("tag", "Tags", "KEY=VALUE", "A tag.", true),
    read: (values, flag) => Object.fromEntries(values.map((value) => readTag(value, flag))),
  },
];

/** Members that are true or false: `--enabled` and `--no-enabled`. */
const SWITCHES: readonly (readonly [flag: string, member: string, what: string])[] = [
  ["enabled", "Enabled", "poll the source"],
  ["bisect-batch-on-function-error", "BisectBatchOnFunctionError", "split a batch that failed"],
];

const INPUT = "cli-input-json";

/** Flags of `create`, or of `update`. */
export function parameterFlags(kind: "create" | "update"): Readonly<Record<string, Flag>> {
  const parameters = PARAMETERS.filter(({ isImmutable }) => kind === "create" || isImmutable !== true);
  const entries = parameters.map(({ flag, value, description, isRepeatable = false }) => {
    const text = isRepeatable ? `${description} May be repeated.` : description;
    return [flag, { value, description: text, isRepeatable }] as const;
  });
  const switches = SWITCHES.flatMap(([flag, , what]) => [
    [flag, { description: `Have it ${what}.` }] as const,
    [`no-${flag}`, { description: `Have it not ${what}.` }] as const,
  ]);
  const input = {
    value: "FILE",
    description: "A file, or a text, with Lambda's request as JSON: all parameters. Flags come before it.",
  };
  return Object.fromEntries([...entries, ...switches, [INPUT, input] as const]);
}

/**
 * The members of Lambda's request.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function readParameters(flags: Flags): JsonObject {
  const members = new Map<string, unknown>(Object.entries(inputOf(flags)));
  for (const { flag, member, read } of PARAMETERS) {
    const values = flags.get(flag);
    if (values !== undefined) members.set(member, read(values, flag));
  }
  for (const [flag, member] of SWITCHES) {
    if (flags.has(flag) && flags.has(`no-${flag}`)) {
      throw usageError(`--${flag} and --no-${flag} are both given. Give one.`);
    }
    if (flags.has(flag) || flags.has(`no-${flag}`)) members.set(member, flags.has(flag));
  }
  return Object.fromEntries(members);
}

/** A JSON text, a file, or a file as AWS's command line names it: `file://mapping.json`. */
function inputOf(flags: Flags): JsonObject {
  const given = lastValue(flags, INPUT);
  if (given === undefined) return {};
  const text = given.startsWith("{") ? given : readNamedFile(given.replace(/^file:\/\//, ""), INPUT);
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    const message = `The text of --${INPUT} is not JSON. Give an object such as {"BatchSize":10}.`;
    throw new MillraceError("ERR_MILLRACE_CONFIG", message, { cause: error });
  }
  throw usageError(`The text of --${INPUT} is not an object. Give one such as {"BatchSize":10}.`);
}

function text(
  flag: string,
  member: string,
  value: string,
  description: string,
  isImmutable = false,
): Parameter {
  return { flag, member, value, description, isImmutable, read: ([only]) => only };
}

function number(flag: string, member: string, description: string): Parameter {
  return { flag, member, value: "N", description, read: readNumber };
}

function list(
  flag: string,
  member: string,
  value: string,
  description: string,
  isImmutable = false,
): Parameter {
  return { flag, member, value, description, isImmutable, isRepeatable: true, read: (values) => values };
}

/** Ranges are the API's to know. */
function readNumber([value = ""]: Values, flag: string): number {
  if (/^-?\d{1,9}$/.test(value)) return Number(value);
  throw usageError(`--${flag} is ${JSON.stringify(value.slice(0, 80))}. Give a whole number.`);
}

function readTime([value = ""]: Values, flag: string): number {
  const seconds = /^\d{1,12}(?:\.\d{1,9})?$/.test(value) ? Number(value) : Date.parse(value) / 1000;
  if (Number.isFinite(seconds)) return seconds;
  throw usageError(
    `--${flag} is ${JSON.stringify(value.slice(0, 80))}. Give a date such as 2026-01-31T12:00:00Z.`,
  );
}

function readTag(value: string, flag: string): readonly [string, string] {
  const at = value.indexOf("=");
  if (at > 0) return [value.slice(0, at), value.slice(at + 1)];
  throw usageError(`--${flag} is ${JSON.stringify(value.slice(0, 80))}. Give KEY=VALUE.`);
}
