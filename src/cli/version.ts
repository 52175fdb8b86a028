import { type Command, EXIT_OK } from "./command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Prints the version.",
  usage: "version",
  details: "Prints the version of millrace.",
  flags: {},
  run: async (_flags, host) => {
    host.stdout.write(`${host.version}\n`);
    return EXIT_OK;
  },
};
