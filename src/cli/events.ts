import { API_FLAGS, ApiClient, isObject, type JsonObject } from "./api-client.ts";
import { type Command, type CommandGroup, EXIT_OK, type Flags } from "./command.ts";
import { textTable } from "./mapping-text.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { formatBytes, formatDuration, printable } from "./terminal-text.ts";

const LISTED_MAX = 1_000;

const listCommand: Command = {
  name: "events list",
  summary: "Lists the asynchronous events that wait, by function, or those of one.",
  usage: "events list [FUNCTION] [FLAGS]",
  details: `Without a name: how many events of each function wait or run, how old the oldest is, how many were given up since
the processes began, and what waits for destinations. With one: its events, those that were accepted first, with their
attempts. Takes nothing: whoever looks delays no event.`,
  words: { FUNCTION: { description: "Its name." } },
  flags: { max: { value: "N", description: "So many events at most. Default 100." }, ...API_FLAGS },
  async run(flags, host) {
    const client = ApiClient.of(flags, host);
    const name = lastValue(flags, "FUNCTION");
    const answer =
      name === undefined
        ? await client.own("GET", "events")
        : await client.own("GET", `functions/${encodeURIComponent(name)}/events`, undefined, {
            max: readMax(flags),
          });
    const asText = name === undefined ? standingsText : eventsText;
    host.stdout.write(flags.has("json") ? `${JSON.stringify(answer, null, 2)}\n` : asText(answer));
    return EXIT_OK;
  },
};

const showCommand: Command = {
  name: "events show",
  summary: "Shows one asynchronous event that waits: its payload, attempts and last answer.",
  usage: "events show ID [FLAGS]",
  details: `Shows an event by its request id, as long as it is in the queue. Needs the role inspect. What was given up is where
its OnFailure destination and its dead-letter queue say: millrace failures list --events FUNCTION.`,
  words: { ID: { isRequired: true, description: "Its request id, as list shows it." } },
  flags: API_FLAGS,
  async run(flags, host) {
    const id = encodeURIComponent(lastValue(flags, "ID") ?? "");
    const answer = await ApiClient.of(flags, host).own("GET", `events/${id}`);
    host.stdout.write(flags.has("json") ? `${JSON.stringify(answer, null, 2)}\n` : eventText(answer));
    return EXIT_OK;
  },
};

export const eventsGroup: CommandGroup = {
  name: "events",
  summary: "Lists and shows asynchronous events that wait.",
  commands: [listCommand, showCommand],
};

function readMax(flags: Flags): string | undefined {
  const text = lastValue(flags, "max");
  const max = Number(text);
  if (text === undefined || (Number.isInteger(max) && max > 0 && max <= LISTED_MAX)) return text;
  throw usageError(`--max is to be a whole number from 1 to ${LISTED_MAX}.`, listCommand);
}

function standingsText({ functions, deliveries }: JsonObject): string {
  const rows = listOf(functions).map((each) => [
    textOf(each["function"]),
    textOf(each["items"]),
    formatBytes(Number(each["bytes"])),
    ageText(each["items"] === 0 ? undefined : each["oldestMs"]),
    textOf(each["retried"]),
    textOf(each["givenUp"]),
    textOf(listOf(each["reasons"])[0]?.["says"] ?? ""),
  ]);
  const waiting = listOf(deliveries).map((each) => [
    textOf(each["destination"]),
    textOf(each["items"]),
    ageText(each["oldestMs"]),
    textOf(each["problem"] ?? ""),
  ]);
  return [
    rows.length === 0
      ? "No function has events.\n"
      : textTable([["FUNCTION", "EVENTS", "BYTES", "OLDEST", "RETRIED", "GIVEN UP", "WHY"], ...rows]),
    waiting.length === 0
      ? ""
      : `\n${textTable([["DESTINATION", "RECORDS", "OLDEST", "LAST PROBLEM"], ...waiting])}`,
  ].join("");
}

function eventsText({ events }: JsonObject): string {
  const rows = listOf(events).map((each) => {
    const attempts = isObject(each["attempts"]) ? each["attempts"] : {};
    const last = isObject(each["last"]) ? each["last"] : {};
    return [
      textOf(each["id"]),
      ageText(each["ageMs"]),
      each["isHeld"] === true ? "runs" : each["dueInMs"] === 0 ? "waits" : `in ${ageText(each["dueInMs"])}`,
      `${textOf(attempts["functionErrors"])}+${textOf(attempts["throttles"])}`,
      textOf(each["route"] ?? ""),
      textOf(last["message"] ?? last["functionError"] ?? ""),
    ];
  });
  if (rows.length === 0) return "No event of it waits.\n";
  return textTable([["ID", "AGE", "NEXT", "FAILED+THROTTLED", "PUT BY", "LAST ANSWER"], ...rows]);
}

function eventText({ payload, answer, attempts, last, ...known }: JsonObject): string {
  const members = Object.entries({
    ...known,
    ...(isObject(attempts) ? attempts : {}),
    ...(isObject(last) ? last : {}),
  });
  const parts: readonly (readonly [string, unknown])[] = [
    ["payload", payload],
    ["answer", answer],
  ];
  return [
    textTable(members.map(([name, value]) => [name, textOf(value)])),
    ...parts.flatMap(([name, value]) =>
      value === undefined ? [] : [`\n${name}\n${linesOf(String(value))}`],
    ),
  ].join("");
}

function linesOf(text: string): string {
  const shown = parsed(text);
  const lines = (shown === undefined ? text : JSON.stringify(shown, null, 2)).split("\n");
  return lines.map((line) => `  ${printable(line)}\n`).join("");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ageText(ms: unknown): string {
  return typeof ms === "number" ? formatDuration(ms) : "";
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return printable(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}
