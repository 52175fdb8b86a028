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
    const { functions, mappings, routes = [], schedules = [], rules = [] } = manifests;
    const others = [
      [routes, "route"],
      [schedules, "schedule"],
      [rules, "rule"],
    ] as const;
    const amounts = [
      amount(functions.length, "function"),
      amount(mappings.length, "mapping"),
      ...others.flatMap(([each, noun]) => (each.length === 0 ? [] : [amount(each.length, noun)])),
    ];
    host.stdout.write(`Valid: ${amounts.join(", ")}.\n`);
    return EXIT_OK;
  },
};

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
