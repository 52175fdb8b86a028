import { type Command, EXIT_BAD_INPUT } from "./command.ts";
import { readManifests } from "./manifest-flags.ts";
import { wholeNumber } from "./parse-flags.ts";
import { runProcesses } from "./processes/run-processes.ts";
import { RUN_FLAGS, readRunOptions } from "./run-flags.ts";
import { runManifests } from "./run-manifests.ts";

/** A host has fewer processors; each process takes memory, and a connection pool at the store. */
const PROCESSES_MAX = 64;

export const runCommand: Command = {
  name: "run",
  summary: "Runs the mappings of manifests.",
  usage: "run [-f FILE_OR_FOLDER...] [FLAGS]",
  details: `Polls the sources of all enabled mappings, of manifests and of the API, and invokes their functions, until SIGTERM, SIGINT (Ctrl-C) or its terminal is closed.
Then nothing new is started, running invocations may end within --drain-seconds, and the exit status is 0.
A second signal ends the process at once. Without a terminal SIGHUP reads manifests and modules again: what changed is\napplied and nothing else restarts; one error in them changes nothing. On a terminal progress is shown, elsewhere logs are written as JSON.`,
  flags: RUN_FLAGS,
  run: async (flags, host) => {
    const options = readRunOptions(flags, host);
    const processes = wholeNumber(flags, "processes", { min: 1, max: PROCESSES_MAX }) ?? 1;
    const manifests = readManifests(flags, host);
    if (manifests === undefined) return EXIT_BAD_INPUT;
    if (processes > 1) return runProcesses({ ...options, processes }, host);
    return runManifests(manifests, options, host);
  },
};
