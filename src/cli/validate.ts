import { type Command, EXIT_BAD_INPUT, EXIT_OK } from "./command.ts";
import { ENDPOINT_FLAG } from "./endpoint-flags.ts";
import { FILENAME_FLAG, readManifests } from "./manifest-flags.ts";
import { TEMPLATE_FLAGS } from "./template-flags.ts";

export const validateCommand: Command = {
  name: "validate",
  summary: "Checks manifests without running them.",
  usage: "validate -f FILE_OR_FOLDER...",
  details: `Checks manifests and shows every problem of every file, with its line, field and remedy.
Exit status 0: valid, 2: not. Nothing is opened or started.`,
  flags: { filename: FILENAME_FLAG, ...TEMPLATE_FLAGS, endpoint: ENDPOINT_FLAG },
  run: async (flags, host) => {
    const manifests = readManifests(flags, host);
    if (manifests === undefined) return EXIT_BAD_INPUT;
    const { functions, mappings } = manifests;
    host.stdout.write(
      `Valid: ${amount(functions.length, "function")}, ${amount(mappings.length, "mapping")}.\n`,
    );
    return EXIT_OK;
  },
};

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
