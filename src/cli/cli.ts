import { nearestName } from "../manifests/nearest-name.ts";
import { describeError, type ErrorCode, hasErrorCode, MillraceError } from "../model/errors.ts";
import {
  type CliHost,
  type Command,
  EXIT_BAD_INPUT,
  EXIT_FAILED,
  EXIT_OK,
  type ExitStatus,
} from "./command.ts";
import { commandHelp, helpCommand, overview } from "./help.ts";
import { loadCommand } from "./load.ts";
import { parseFlags } from "./parse-flags.ts";
import { runCommand } from "./run.ts";
import { schemaCommand } from "./schema.ts";
import { testPatternCommand } from "./test-pattern.ts";
import { validateCommand } from "./validate.ts";
import { versionCommand } from "./version.ts";

const COMMANDS: readonly Command[] = [
  runCommand,
  validateCommand,
  testPatternCommand,
  schemaCommand,
  loadCommand,
  versionCommand,
  helpCommand(() => COMMANDS),
];

/** Errors that come again until somebody changes what millrace was given: a restart does not help. */
const BAD_INPUT: readonly ErrorCode[] = [
  "ERR_MILLRACE_CONFIG",
  "ERR_MILLRACE_FILTER_PATTERN",
  "ERR_MILLRACE_FUNCTION",
];

/** Runs the command line `words`, without the program's own name. Never rejects. */
export async function runCli(words: readonly string[], host: CliHost): Promise<ExitStatus> {
  try {
    const [first, ...rest] = words;
    if (first === undefined) {
      host.stderr.write(overview(COMMANDS));
      return EXIT_BAD_INPUT;
    }
    const command = findCommand(first);
    if (rest.some(isHelpFlag)) {
      host.stdout.write(commandHelp(command));
      return EXIT_OK;
    }
    return await command.run(parseFlags(command, rest), host);
  } catch (error) {
    host.stderr.write(`millrace: ${error instanceof MillraceError ? error.message : stackOf(error)}\n`);
    return BAD_INPUT.some((code) => hasErrorCode(error, code)) ? EXIT_BAD_INPUT : EXIT_FAILED;
  }
}

function findCommand(word: string): Command {
  const name = isHelpFlag(word) ? "help" : word === "--version" || word === "-v" ? "version" : word;
  const command = COMMANDS.find((known) => known.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((known) => known.name);
  const nearest = nearestName(word, names);
  const suggestion = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `There is no command ${JSON.stringify(word)}.${suggestion} Commands are ${names.join(", ")}.`,
  );
}

function isHelpFlag(word: string): boolean {
  return word === "--help" || word === "-h";
}

/** Of an error that no one foresaw: its stack is what a report of it needs. */
function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : describeError(error);
}
