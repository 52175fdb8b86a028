import { API_FLAGS, ApiClient, type JsonObject } from "./api-client.ts";
import type { Flags } from "./command.ts";
import {
  type CliHost,
  type Command,
  type CommandGroup,
  EXIT_NOT_FINE,
  EXIT_OK,
  type ExitStatus,
  type Flag,
  type Word,
} from "./command.ts";
import { parameterFlags, readParameters } from "./mapping-parameters.ts";
import { explanationText, mappingDetails, mappingTable } from "./mapping-text.ts";
import { lastValue } from "./parse-flags.ts";

const UUID = { UUID: { isRequired: true, description: "Of the mapping, as list shows it." } } as const;

const MAPPING = {
  MAPPING: {
    description:
      "Name or UUID of the mapping, or how it alone begins; or of a function, a schedule, a rule or a route; without it, all.",
  },
  PART: { description: "Only this shard, message group or key." },
} as const;

/** One command on a running millrace: what it asks for, and how the answer is shown to people. */
interface MappingCommand {
  readonly name: string;
  readonly summary: string;
  readonly details: string;
  readonly words?: Readonly<Record<string, Word>>;
  readonly flags?: Readonly<Record<string, Flag>>;
  ask(client: ApiClient, flags: Flags): Promise<JsonObject>;
  show?(answer: JsonObject): string;
  /** What it ends with; 0 without it. */
  endsWith?(answer: JsonObject): ExitStatus;
}

const COMMANDS: readonly MappingCommand[] = [
  {
    name: "list",
    summary: "Lists mappings.",
    details: "Lists the mappings of a running millrace, those of manifests too.",
    flags: {
      "event-source-arn": { value: "ARN", description: "Only those of this source." },
      "function-name": {
        value: "NAME",
        description: "Only those of this function, as qualified as it is named.",
      },
    },
    ask: (client, flags) =>
      client.list({
        EventSourceArn: lastValue(flags, "event-source-arn"),
        FunctionName: lastValue(flags, "function-name"),
      }),
    show: ({ EventSourceMappings: mappings }) => mappingTable(Array.isArray(mappings) ? mappings : []),
  },
  {
    name: "get",
    summary: "Shows a mapping.",
    details: "Shows a mapping with all its settings and its state.",
    words: UUID,
    ask: (client, flags) => client.get(uuidOf(flags)),
  },
  {
    name: "create",
    summary: "Makes a mapping.",
    details: "Makes a mapping of AWS's parameters. It is shown as it is then; get shows when it is Enabled.",
    flags: parameterFlags("create"),
    ask: (client, flags) => client.create(readParameters(flags)),
  },
  {
    name: "update",
    summary: "Changes a mapping.",
    details: "Changes what is given, and leaves everything else as it is.",
    words: UUID,
    flags: parameterFlags("update"),
    ask: (client, flags) => client.update(uuidOf(flags), readParameters(flags)),
  },
  {
    name: "delete",
    summary: "Deletes a mapping and its checkpoints.",
    details: "Deletes a mapping. What it has read to is forgotten.",
    words: UUID,
    ask: (client, flags) => client.delete(uuidOf(flags)),
  },
  {
    name: "enable",
    summary: "Has a mapping poll.",
    details: "Has a mapping poll, from where it was.",
    words: UUID,
    ask: (client, flags) => client.update(uuidOf(flags), { Enabled: true }),
  },
  {
    name: "disable",
    summary: "Has a mapping stop polling.",
    details: "Has a mapping stop. Running invocations end first; then it is Disabled.",
    words: UUID,
    ask: (client, flags) => client.update(uuidOf(flags), { Enabled: false }),
  },
  {
    name: "explain",
    summary: "Says what is not fine, why, and what to do.",
    details: `Without a name it lists what is not fine, the worst first, over all processes of the store: mappings, redrives,
events of functions, schedules and routes; it ends with 3 when there is any. With a name of a mapping it says of each
shard or group what holds it up, why, and what to do: which batch is tried again, how often it was tried, why it failed,
and when the next attempt is. With that of a function, a schedule, a rule or a route it says how that stands.`,
    words: MAPPING,
    ask: (client, flags) => {
      const mapping = lastValue(flags, "MAPPING");
      return mapping === undefined ? client.explainAll() : client.explain(mapping, lastValue(flags, "PART"));
    },
    show: explanationText,
    endsWith: ({ mappings, others }) =>
      Array.isArray(mappings) && mappings.length + (Array.isArray(others) ? others.length : 0) > 0
        ? EXIT_NOT_FINE
        : EXIT_OK,
  },
];

/** What is asked most, at night, by a short name. */
export const explainCommand: Command = { ...explainOf(COMMANDS), name: "explain" };

export const mappingsGroup: CommandGroup = {
  name: "mappings",
  summary: "Lists, makes, changes, deletes and explains the mappings of a running millrace.",
  commands: COMMANDS.map((command) => commandOf(command)),
};

function commandOf(
  { name, summary, details, words = {}, flags = {}, ask, show, endsWith }: MappingCommand,
  group = "mappings ",
): Command {
  const places = Object.entries(words).map(([word, { isRequired }]) =>
    isRequired === true ? word : `[${word}]`,
  );
  return {
    name: `${group}${name}`,
    summary,
    usage: [`${group}${name}`, ...places, "[FLAGS]"].join(" "),
    details,
    words,
    flags: { ...flags, ...API_FLAGS },
    async run(given: Flags, host: CliHost) {
      const answer = await ask(ApiClient.of(given, host), given);
      const asText = show ?? mappingDetails;
      host.stdout.write(given.has("json") ? `${JSON.stringify(answer, null, 2)}\n` : asText(answer));
      return endsWith?.(answer) ?? EXIT_OK;
    },
  };
}

function explainOf(commands: readonly MappingCommand[]): Command {
  const found = commands.find(({ name }) => name === "explain");
  if (found === undefined) throw new Error("there is no command explain");
  return commandOf(found, "");
}

function uuidOf(flags: Flags): string {
  return lastValue(flags, "UUID") ?? "";
}
