import { API_FLAGS, ApiClient, isObject, type JsonObject } from "./api-client.ts";
import {
  type CliHost,
  type Command,
  type CommandGroup,
  EXIT_OK,
  type ExitStatus,
  type Flags,
} from "./command.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { printable } from "./terminal-text.ts";

const ID = { ROLLOUT: { isRequired: true, description: "Its id: d-A1B2C3D4E." } } as const;

const listCommand: Command = {
  name: "rollouts list",
  summary: "Lists rollouts of all aliases, those that run and the last one of each that ended.",
  usage: "rollouts list [FLAGS]",
  details: "Shows how much of the traffic each new version has, and why one went back.",
  words: {},
  flags: API_FLAGS,
  async run(flags, host) {
    const answer = await ApiClient.of(flags, host).own("GET", "rollouts");
    const listed: unknown = answer["rollouts"];
    const rollouts = Array.isArray(listed) ? listed.filter(isObject) : [];
    if (flags.has("json")) return printJson(answer, host);
    host.stdout.write(rollouts.length === 0 ? "No alias had a rollout.\n" : rollouts.map(lineOf).join(""));
    return EXIT_OK;
  },
};

const showCommand: Command = {
  name: "rollouts show",
  summary: "Shows one rollout.",
  usage: "rollouts show ROLLOUT [FLAGS]",
  details:
    "Shows its plan, its alarms, why it stands where it stands or why it went back, and each step that it took.",
  words: ID,
  flags: API_FLAGS,
  run: (flags, host) => tell("GET", "", flags, host),
};

const stopCommand: Command = {
  name: "rollouts stop",
  summary: "Stops a rollout: all traffic goes to the old version again, at once.",
  usage: "rollouts stop ROLLOUT [FLAGS]",
  details: "What the new version has begun it ends. Weights are gone in every process within a second.",
  words: ID,
  flags: API_FLAGS,
  run: (flags, host) => tell("POST", "/stop", flags, host),
};

const startCommand: Command = {
  name: "rollouts start",
  summary: "Brings a version in: its alias sends traffic there in steps, and back when an alarm goes off.",
  usage: "rollouts start FUNCTION:ALIAS VERSION [FLAGS]",
  details: `For functions of the API. An alias of a manifest names its new version there, with rollout beside it.
Alarms judge the calls of the new version in the last minute, of all processes together.`,
  words: {
    "FUNCTION:ALIAS": { isRequired: true, description: "The alias that is moved." },
    VERSION: { isRequired: true, description: "The number of the new version." },
  },
  flags: {
    type: {
      value: "NAME",
      description:
        "AllAtOnce, Canary10Percent5Minutes, Linear10PercentEvery1Minute and their like. Default Canary10Percent5Minutes.",
    },
    "error-rate": { value: "PART", description: "Goes back above this share of failed calls. Default 0.01." },
    "p99-ms": { value: "MS", description: "Goes back when the 99th percentile of durations is above this." },
    ...API_FLAGS,
  },
  async run(flags, host) {
    const [fn, alias] = (lastValue(flags, "FUNCTION:ALIAS") ?? "").split(":");
    if (fn === undefined || alias === undefined || alias === "")
      throw usageError("Name a function and its alias: orders:live.", startCommand);
    const alarms = { errorRate: numberOf(flags, "error-rate"), p99Ms: numberOf(flags, "p99-ms") };
    const given = Object.entries(alarms).filter(([, value]) => value !== undefined);
    const answer = await ApiClient.of(flags, host).own("POST", "rollouts", {
      function: fn,
      alias,
      version: lastValue(flags, "VERSION"),
      ...(flags.has("type") ? { type: lastValue(flags, "type") } : {}),
      ...(given.length === 0 ? {} : { alarms: Object.fromEntries(given) }),
    });
    return print(answer, flags, host);
  },
};

export const rolloutsGroup: CommandGroup = {
  name: "rollouts",
  summary: "Starts, lists, shows and stops rollouts of new versions.",
  commands: [listCommand, showCommand, startCommand, stopCommand],
};

function numberOf(flags: Flags, name: string): number | undefined {
  const text = lastValue(flags, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw usageError(`--${name} is to be a number.`, startCommand);
}

async function tell(method: "GET" | "POST", what: string, flags: Flags, host: CliHost): Promise<ExitStatus> {
  const path = `rollouts/${encodeURIComponent(lastValue(flags, "ROLLOUT") ?? "")}${what}`;
  const client = ApiClient.of(flags, host);
  const answer = method === "GET" ? await client.own("GET", path) : await client.own("POST", path, {});
  return print(answer, flags, host);
}

function print(rollout: JsonObject, flags: Flags, host: CliHost): ExitStatus {
  if (flags.has("json")) return printJson(rollout, host);
  host.stdout.write(lineOf(rollout) + detailsOf(rollout) + textOf(rollout));
  return EXIT_OK;
}

function printJson(answer: JsonObject, { stdout }: CliHost): ExitStatus {
  stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  return EXIT_OK;
}

/** `d-A1B2C3D4E  orders:live  1 -> 2  10 %  InProgress  …` */
function lineOf(rollout: JsonObject): string {
  const { id, from, to, share, status, reason } = rollout;
  const alias = `${String(rollout["function"])}:${String(rollout["alias"])}`;
  const percent = `${Math.round(Number(share) * 100)} %`;
  const why = typeof reason === "string" ? `  ${reason}` : "";
  return `${printable(`${String(id)}  ${alias}  ${String(from)} -> ${String(to)}  ${percent}  ${String(status)}${why}`)}\n`;
}

function textOf({ text }: JsonObject): string {
  const lines = Array.isArray(text) ? text.map(String) : [];
  return lines.map((line) => printable(`  ${line}`).concat("\n")).join("");
}

function detailsOf({ plan, alarms, phase, startedAt, endedAt }: JsonObject): string {
  const ended = typeof endedAt === "string" ? `, ended ${endedAt}` : "";
  return printable(
    `  plan ${JSON.stringify(plan)}, alarms ${JSON.stringify(alarms)}, phase ${String(phase)}, started ${String(startedAt)}${ended}`,
  ).concat("\n");
}
