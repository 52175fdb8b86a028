import { nearestName } from "../manifests/nearest-name.ts";
import { describeError, type ErrorCode, hasErrorCode, MillraceError } from "../model/errors.ts";
import {
  type CliHost,
  type Command,
  type CommandGroup,
  EXIT_BAD_INPUT,
  EXIT_FAILED,
  EXIT_OK,
  type ExitStatus,
} from "./command.ts";
import { commandHelp, groupHelp, helpCommand, overview } from "./help.ts";
import { parseFlags } from "./parse-flags.ts";

/** A process loads only the one that it runs. */
const COMMANDS: readonly { readonly name: string; load(): Promise<Command | CommandGroup> }[] = [
  { name: "dev", load: async () => (await import("./dev.ts")).devCommand },
  { name: "run", load: async () => (await import("./run.ts")).runCommand },
  { name: "mappings", load: async () => (await import("./mappings.ts")).mappingsGroup },
  { name: "explain", load: async () => (await import("./mappings.ts")).explainCommand },
  { name: "logs", load: async () => (await import("./logs.ts")).logsCommand },
  { name: "streams", load: async () => (await import("./sources/source-commands.ts")).streamsGroup },
  { name: "queues", load: async () => (await import("./sources/source-commands.ts")).queuesGroup },
  { name: "events", load: async () => (await import("./events.ts")).eventsGroup },
  { name: "failures", load: async () => (await import("./failures.ts")).failuresGroup },
  { name: "rollouts", load: async () => (await import("./rollouts.ts")).rolloutsGroup },
  { name: "validate", load: async () => (await import("./validate.ts")).validateCommand },
  { name: "import", load: async () => (await import("./import.ts")).importGroup },
  { name: "export", load: async () => (await import("./export.ts")).exportCommand },
  { name: "diff", load: async () => (await import("./resources.ts")).diffCommand },
  { name: "prune", load: async () => (await import("./resources.ts")).pruneCommand },
  { name: "adopt", load: async () => (await import("./resources.ts")).adoptCommand },
  { name: "test-pattern", load: async () => (await import("./test-pattern.ts")).testPatternCommand },
  { name: "schema", load: async () => (await import("./schema.ts")).schemaCommand },
  { name: "load", load: async () => (await import("./load.ts")).loadCommand },
  { name: "attach", load: async () => (await import("./attach.ts")).attachCommand },
  { name: "scaler", load: async () => (await import("./scaler.ts")).scalerCommand },
  { name: "version", load: async () => (await import("./version.ts")).versionCommand },
  { name: "help", load: async () => helpCommand(allCommands) },
];

function allCommands(): Promise<readonly (Command | CommandGroup)[]> {
  return Promise.all(COMMANDS.map(({ load }) => load()));
}

/** Errors that come again until somebody changes what millrace was given: a restart does not help. */
const BAD_INPUT: readonly ErrorCode[] = [
  "ERR_MILLRACE_CONFIG",
  "ERR_MILLRACE_FILTER_PATTERN",
  "ERR_MILLRACE_FUNCTION",
  "ERR_MILLRACE_NO_FUNCTION",
  "ERR_MILLRACE_PACKAGE",
  "ERR_MILLRACE_API_REFUSED",
];

/** Runs the command line `words`, without the program's own name. Never rejects. */
export async function runCli(words: readonly string[], host: CliHost): Promise<ExitStatus> {
  try {
    const [first, ...rest] = words;
    if (first === undefined) {
      host.stderr.write(overview(await allCommands()));
      return EXIT_BAD_INPUT;
    }
    const found = await findByName(first, "", COMMANDS).load();
    return "commands" in found ? await runGrouped(found, rest, host) : await runCommandOf(found, rest, host);
  } catch (error) {
    host.stderr.write(`millrace: ${error instanceof MillraceError ? error.message : stackOf(error)}\n`);
    return BAD_INPUT.some((code) => hasErrorCode(error, code)) ? EXIT_BAD_INPUT : EXIT_FAILED;
  }
}

async function runGrouped(group: CommandGroup, words: readonly string[], host: CliHost): Promise<ExitStatus> {
  const [second, ...rest] = words;
  if (second === undefined || isHelpFlag(second) || second === "help") {
    const isAsked = second !== undefined;
    (isAsked ? host.stdout : host.stderr).write(groupHelp(group));
    return isAsked ? EXIT_OK : EXIT_BAD_INPUT;
  }
  return await runCommandOf(findByName(second, `${group.name} `, group.commands), rest, host);
}

async function runCommandOf(command: Command, words: readonly string[], host: CliHost): Promise<ExitStatus> {
  if (!words.some(isHelpFlag)) return await command.run(parseFlags(command, words), host);
  host.stdout.write(commandHelp(command));
  return EXIT_OK;
}

/** `prefix`: the words before, which the names of a group's commands begin with. */
function findByName<Named extends { readonly name: string }>(
  word: string,
  prefix: string,
  known: readonly Named[],
): Named {
  const name = isHelpFlag(word) ? "help" : word === "--version" || word === "-v" ? "version" : word;
  const found = known.find((each) => each.name === prefix + name);
  if (found !== undefined) return found;
  const names = known.map((each) => each.name.slice(prefix.length));
  const nearest = nearestName(word, names);
  const suggestion = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `There is no command ${JSON.stringify(prefix + word)}.${suggestion} Commands are ${names.join(", ")}.`,
  );
}

function isHelpFlag(word: string): boolean {
  return word === "--help" || word === "-h";
}

/** The stack of an error that no one foresaw: a report of it needs that. */
function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : describeError(error);
}
