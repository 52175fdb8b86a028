import { readFileSync, statSync } from "node:fs";
import { testPattern } from "../engine/filter/test-pattern.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { type Flags, lastValue } from "./parse-flags.ts";

/** Larger than the largest payload of any source, so that a slip such as a disk image ends at once. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

export const testPatternCommand: Command = {
  name: "test-pattern",
  summary: "Says whether a filter pattern matches an event.",
  usage: "test-pattern --pattern FILE --event FILE",
  details: `Prints true or false, exit status 0. A pattern that is not valid prints why, exit status 2.
The event is what a pattern sees of a record, for example {"partitionKey":"1","data":{"amount":7}}.`,
  flags: {
    pattern: { value: "FILE", isRequired: true, description: "File that holds the pattern, as JSON." },
    event: { value: "FILE", isRequired: true, description: "File that holds the event, as JSON." },
  },
  run: async (flags, host) => {
    const matches = testPattern(readFlagFile(flags, "pattern"), readFlagFile(flags, "event"));
    host.stdout.write(`${matches}\n`);
    return EXIT_OK;
  },
};

function readFlagFile(flags: Flags, name: string): string {
  const file = lastValue(flags, name) ?? "";
  try {
    if (statSync(file).size <= FILE_BYTES_MAX) return readFileSync(file, "utf8");
  } catch (error) {
    const reason = `The file of --${name} cannot be read: ${describeError(error)}. Check the path.`;
    throw new MillraceError("ERR_MILLRACE_CONFIG", reason, { cause: error });
  }
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `The file of --${name}, ${file}, has more than ${FILE_BYTES_MAX} bytes. Give a smaller one.`,
  );
}
