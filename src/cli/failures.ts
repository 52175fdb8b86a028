import { API_FLAGS, ApiClient, isObject, type JsonObject, type QueryValues } from "./api-client.ts";
import { type Command, type CommandGroup, EXIT_OK, type Flags } from "./command.ts";
import { FILTER_FLAGS, readFilterFlags } from "./failure-flags.ts";
import { failureDetails, failureTable } from "./failure-text.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { redriveCommand } from "./redrive.ts";
import { formatCounted, printable } from "./terminal-text.ts";

const LISTED_DEFAULT = 100;
const PAGE_ROWS = 500;

const DECODE_FLAG = { description: "Shows records' data in clear where they are JSON or a text." };

const listCommand: Command = {
  name: "failures list",
  summary: "Lists what was given up.",
  usage: "failures list [FLAGS]",
  details: `Lists what failure destinations have accepted, oldest first, and with --mapping of a queue its dead letters.
Texts of errors are shown to callers with the role inspect.`,
  flags: {
    ...FILTER_FLAGS,
    max: { value: "N", description: `So many at most. Default ${LISTED_DEFAULT}.` },
    ...API_FLAGS,
  },
  async run(flags, host) {
    const max = readMax(flags);
    const failures: JsonObject[] = [];
    const remarks = new Set<string>();
    const client = ApiClient.of(flags, host);
    for await (const page of pages(client, readFilterFlags(flags), max)) {
      failures.push(...page.failures);
      for (const remark of page.remarks) remarks.add(remark);
    }
    const shown = failures.slice(0, max);
    if (flags.has("json")) {
      host.stdout.write(`${JSON.stringify({ failures: shown, remarks: [...remarks] }, null, 2)}\n`);
      return EXIT_OK;
    }
    host.stdout.write(failureTable(shown));
    if (failures.length > max) remarks.add(`There are more than ${max}: give a filter, or --max.`);
    for (const remark of remarks) host.stderr.write(`${printable(remark)}\n`);
    return EXIT_OK;
  },
};

const showCommand: Command = {
  name: "failures show",
  summary: "Shows one failure: its error, and its records as its destination keeps them.",
  usage: "failures show ID [FLAGS]",
  details: `Shows why it failed, with the stack of its error, where it lies, and each record. Needs the role inspect.
Of a dead letter name the mapping of its queue with --mapping.`,
  words: { ID: { isRequired: true, description: "As list shows it." } },
  flags: {
    mapping: { value: "NAME", description: "Of a dead letter: the mapping of its queue." },
    decode: DECODE_FLAG,
    ...API_FLAGS,
  },
  async run(flags, host) {
    const id = lastValue(flags, "ID") ?? "";
    const answer = await show(
      ApiClient.of(flags, host),
      id,
      lastValue(flags, "mapping"),
      flags.has("decode"),
    );
    const asText = flags.has("json") ? `${JSON.stringify(answer, null, 2)}\n` : failureDetails(answer);
    host.stdout.write(asText);
    return EXIT_OK;
  },
};

const exportCommand: Command = {
  name: "failures export",
  summary: "Writes failures with their records, a line of JSON for each.",
  usage: "failures export [FLAGS]",
  details: "Writes each failure as show has it, as a line of JSON. Needs the role inspect.",
  flags: { ...FILTER_FLAGS, decode: DECODE_FLAG, api: API_FLAGS.api },
  async run(flags, host) {
    const client = ApiClient.of(flags, host);
    let count = 0;
    for await (const { failures } of pages(client, readFilterFlags(flags), Number.POSITIVE_INFINITY)) {
      for (const { id, mappingUuid } of failures) {
        const answer = await show(client, String(id), String(mappingUuid), flags.has("decode"));
        host.stdout.write(`${JSON.stringify(answer)}\n`);
        count += 1;
      }
    }
    host.stderr.write(`${formatCounted(count, "failure")}\n`);
    return EXIT_OK;
  },
};

const reindexCommand: Command = {
  name: "failures reindex",
  summary: "Lists what failure destinations keep and the list does not have.",
  usage: "failures reindex [FLAGS]",
  details: `Reads the failure destinations of mappings that keep events, also what AWS wrote there. What is listed
already stays as it is. Of what AWS wrote neither error nor, in part, key is known.`,
  flags: { ...FILTER_FLAGS, ...API_FLAGS },
  async run(flags, host) {
    const client = ApiClient.of(flags, host);
    const answer = await client.own("POST", "failures/reindex", bodyOf(readFilterFlags(flags)));
    if (flags.has("json")) {
      host.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
      return EXIT_OK;
    }
    host.stdout.write(`${formatCounted(Number(answer["found"]), "failure")} found.\n`);
    for (const remark of textsOf(answer["remarks"])) host.stderr.write(`${printable(remark)}\n`);
    return EXIT_OK;
  },
};

export const failuresGroup: CommandGroup = {
  name: "failures",
  summary: "Lists, shows, exports and redrives what was given up.",
  commands: [listCommand, showCommand, exportCommand, reindexCommand, redriveCommand],
};

interface Page {
  readonly failures: readonly JsonObject[];
  readonly remarks: readonly string[];
}

/** Until there are more than `max`. */
async function* pages(client: ApiClient, filter: QueryValues, max: number): AsyncGenerator<Page> {
  let after: string | undefined;
  for (let count = 0; count <= max; ) {
    const rows = String(Math.min(PAGE_ROWS, max + 1));
    const answer = await client.own("GET", "failures", undefined, { ...filter, after, max: rows });
    const list: readonly unknown[] = Array.isArray(answer["failures"]) ? answer["failures"] : [];
    const failures = list.filter(isObject);
    count += failures.length;
    yield { failures, remarks: textsOf(answer["remarks"]) };
    const next = answer["next"];
    if (typeof next !== "string" || next === after) return;
    after = next;
  }
}

function show(client: ApiClient, id: string, mapping: string | undefined, isDecoded: boolean) {
  const decode = isDecoded ? "true" : undefined;
  return client.own("GET", `failures/${encodeURIComponent(id)}`, undefined, { mapping, decode });
}

function bodyOf(filter: QueryValues): JsonObject {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.map(String);
}

function readMax(flags: Flags): number {
  const text = lastValue(flags, "max") ?? String(LISTED_DEFAULT);
  const max = Number(text);
  if (Number.isInteger(max) && max > 0) return max;
  throw usageError("--max is to be a whole number above 0.");
}
