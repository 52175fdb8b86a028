import { testPattern } from "../engine/filter/test-pattern.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { readFlagFile } from "./flag-file.ts";

export const testPatternCommand: Command = {
  name: "test-pattern",
  summary: "Says whether a filter pattern matches an event.",
  usage: "test-pattern --pattern FILE --event FILE",
  details: `Prints true or false, exit status 0. A pattern that is not valid prints why, exit status 2.
The event is what a pattern sees of a record, for example {"data":{"amount":7}}.`,
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
