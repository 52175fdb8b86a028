import { sleep } from "../lib/sleep.ts";
import { describeError, hasErrorCode } from "../model/errors.ts";
import { API_FLAGS, ApiClient, isObject, type JsonObject, type QueryValues } from "./api-client.ts";
import { type CliHost, type Command, EXIT_OK, type ExitStatus, type Flags } from "./command.ts";
import { lastValue } from "./parse-flags.ts";
import { printable, printableOutput } from "./terminal-text.ts";

const FOLLOW_MS = 1_000;
/** Behind a page that is full there is no pause. */
const PAGE_LINES = 10_000;
const SHOWN_LINES = 1_000;

export const logsCommand: Command = {
  name: "logs",
  summary: "Shows what a function prints.",
  usage: "logs FUNCTION [FLAGS]",
  details: `Shows the newest lines that a function has printed, over all processes of the store, with Lambda's START, END and
REPORT lines of each call. --follow goes on until Ctrl-C. Each process keeps the last 5,000 lines of a function; other
processes hand over what 32 KiB hold, compressed. Needs the role inspect.`,
  words: { FUNCTION: { isRequired: true, description: "Its name." } },
  flags: {
    follow: { short: "f", description: "Goes on with what it prints from now on." },
    since: {
      value: "TIME",
      description: "From this time on: 2026-11-30T12:00Z, or how long ago: 90s, 10m, 2h.",
    },
    request: { value: "ID", description: "Only what was printed in the call with this request id." },
    max: { value: "N", description: `So many lines at most, before it follows. Default ${SHOWN_LINES}.` },
    api: API_FLAGS.api,
    json: { description: "Prints each line as an object of JSON." },
  },
  async run(flags, host) {
    const client = ApiClient.of(flags, host);
    const reader = new LogReader(client, flags);
    const show = (page: JsonObject) => write(page, flags.has("json"), host);
    show(await reader.next());
    if (!flags.has("follow")) return EXIT_OK;
    return await follow(reader, show, host);
  },
};

/** Asks for what it has not seen yet. */
class LogReader {
  readonly #client: ApiClient;
  readonly #flags: Flags;
  #after: string | undefined;

  constructor(client: ApiClient, flags: Flags) {
    this.#client = client;
    this.#flags = flags;
  }

  async next(): Promise<JsonObject> {
    const named = encodeURIComponent(lastValue(this.#flags, "FUNCTION") ?? "");
    const isFirst = this.#after === undefined;
    const query: QueryValues = {
      ...(isFirst ? { since: lastValue(this.#flags, "since") } : { after: this.#after }),
      max: isFirst ? (lastValue(this.#flags, "max") ?? String(SHOWN_LINES)) : String(PAGE_LINES),
      request: lastValue(this.#flags, "request"),
    };
    const path = `/millrace/v1/functions/${named}/logs`;
    const page = await this.#client.request("GET", path, { query, missing: "" });
    if (typeof page["next"] === "string") this.#after = page["next"];
    return page;
  }
}

/** An API that does not answer is asked again: what was printed meanwhile comes then. */
async function follow(
  reader: LogReader,
  show: (page: JsonObject) => number,
  host: CliHost,
): Promise<ExitStatus> {
  const stopped = new AbortController();
  host.onStopSignal(() => stopped.abort());
  let told = "";
  while (!stopped.signal.aborted) {
    try {
      if (show(await reader.next()) >= PAGE_LINES) continue;
      told = "";
    } catch (error) {
      if (!hasErrorCode(error, "ERR_MILLRACE_API_UNAVAILABLE")) throw error;
      const text = describeError(error);
      if (text !== told) host.stderr.write(`millrace: ${text}\n`);
      told = text;
    }
    await sleep(host.adapters.clock, FOLLOW_MS, stopped.signal);
  }
  return EXIT_OK;
}

/** How many lines there were. */
function write(page: JsonObject, isJson: boolean, { stdout, stderr }: CliHost): number {
  const listed: unknown = page["lines"];
  const lines = Array.isArray(listed) ? listed.filter(isObject) : [];
  if (page["isCut"] === true) stderr.write("millrace: lines before these are left out\n");
  if (typeof page["problem"] === "string")
    stderr.write(`millrace: of other processes nothing is known: ${printable(page["problem"])}\n`);
  const asText = isJson ? (line: JsonObject) => JSON.stringify(line) : textOf;
  if (lines.length > 0) stdout.write(lines.map((line) => `${asText(line)}\n`).join(""));
  return lines.length;
}

function textOf({ time, text }: JsonObject): string {
  const lines = String(text).split("\n");
  return lines.map((line) => `${String(time)} ${printableOutput(line)}`).join("\n");
}
