import { nearestName } from "../manifests/nearest-name.ts";
import { describeError, type ErrorCode, hasErrorCode, MillraceError } from "../model/errors.ts";
import { attachCommand } from "./attach.ts";
import {
  type CliHost,
  type Command,
  type CommandGroup,
  EXIT_BAD_INPUT,
  EXIT_FAILED,
  EXIT_OK,
  type ExitStatus,
} from "./command.ts";
import { devCommand } from "./dev.ts";
import { eventsGroup } from "./events.ts";
import { exportCommand } from "./export.ts";
import { failuresGroup } from "./failures.ts";
import { commandHelp, groupHelp, helpCommand, overview } from "./help.ts";
import { importGroup } from "./import.ts";
import { loadCommand } from "./load.ts";
import { logsCommand } from "./logs.ts";
import { explainCommand, mappingsGroup } from "./mappings.ts";
import { parseFlags } from "./parse-flags.ts";
import { adoptCommand, diffCommand, pruneCommand } from "./resources.ts";
import { rolloutsGroup } from "./rollouts.ts";
import { runCommand } from "./run.ts";
import { schemaCommand } from "./schema.ts";
import { queuesGroup, streamsGroup } from "./sources/source-commands.ts";
import { testPatternCommand } from "./test-pattern.ts";
import { validateCommand } from "./validate.ts";
import { versionCommand } from "./version.ts";

const COMMANDS: readonly (Command | CommandGroup)[] = [
  devCommand,
  runCommand,
  mappingsGroup,
  explainCommand,
  logsCommand,
  streamsGroup,
  queuesGroup,
  eventsGroup,
  failuresGroup,
  rolloutsGroup,
  validateCommand,
  importGroup,
  exportCommand,
  diffCommand,
  pruneCommand,
  adoptCommand,
  testPatternCommand,
  schemaCommand,
  loadCommand,
  attachCommand,
  versionCommand,
  helpCommand(() => COMMANDS),
];

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
      host.stderr.write(overview(COMMANDS));
      return EXIT_BAD_INPUT;
    }
    const found = findByName(first, "", COMMANDS);
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
