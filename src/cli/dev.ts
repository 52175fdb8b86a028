import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstOf, whenSettled } from "../lib/first-of.ts";
import { formatProblems, type LoadedManifests, type Manifests } from "../manifests/load-manifests.ts";
import { type CliHost, type Command, EXIT_OK, type Flags } from "./command.ts";
import { sendCommand } from "./embedded-sources.ts";
import { FileWatch } from "./file-watch.ts";
import { FILENAME_FLAG } from "./manifest-flags.ts";
import { RUN_FLAGS, readRunOptions } from "./run-flags.ts";
import { runManifests } from "./run-manifests.ts";
import type { RunOptions } from "./run-options.ts";
import { TEMPLATE_FLAGS } from "./template-flags.ts";

const { api, endpoint, region, account, otlp } = RUN_FLAGS;

export const devCommand: Command = {
  name: "dev",
  summary: "Runs functions while they are written.",
  usage: "dev [-f FILE_OR_FOLDER...] [FLAGS]",
  details: `Runs the mappings of manifests as run does, until Ctrl-C, and reads manifests, modules and what these import again when they
change: the next call has the new code, and a file with an error leaves all as it was and says where and why. Streams and
queues that are a part of millrace (arn:aws:local:…) are made when a manifest names them and they are not there.
Without --filename it makes a sample function and stream in a temporary folder, ready to be edited.`,
  flags: {
    filename: { ...FILENAME_FLAG, isRequired: false },
    api: {
      ...api,
      description: `${api.description.replace(/\.$/, "")}, or a free port when another program has that one.`,
    },
    "api-credentials": RUN_FLAGS["api-credentials"],
    "api-host": RUN_FLAGS["api-host"],
    "sources-api": RUN_FLAGS["sources-api"],
    front: RUN_FLAGS.front,
    "front-domain": RUN_FLAGS["front-domain"],
    store: RUN_FLAGS.store,
    endpoint,
    ...TEMPLATE_FLAGS,
    region,
    account,
    page: RUN_FLAGS.page,
    "account-concurrency": RUN_FLAGS["account-concurrency"],
    "broker-hosts": RUN_FLAGS["broker-hosts"],
    "manifest-set": RUN_FLAGS["manifest-set"],
    "log-level": RUN_FLAGS["log-level"],
    "error-details": RUN_FLAGS["error-details"],
    otlp,
    "drain-seconds": RUN_FLAGS["drain-seconds"],
  },
  run: async (flags, host) => {
    const sample = flags.has("filename") ? undefined : writeSample(host);
    const options = devOptions(sample === undefined ? flags : sampleFlags(flags, sample), host);
    const manifests = await firstValid(options, host);
    return manifests === undefined ? EXIT_OK : await runManifests(manifests, options, host);
  },
};

/** Returns the new folder. */
function writeSample({ adapters }: CliHost): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-dev-"));
  const files = adapters.connectors.find(({ sample }) => sample !== undefined)?.sample ?? [];
  for (const { name, text } of files) writeFileSync(join(folder, name), text);
  return folder;
}

function sampleFlags(flags: Flags, folder: string): Flags {
  const store = flags.get("store") ?? [`sqlite:${join(folder, "progress.db")}`];
  return new Map([...flags, ["filename", [folder]], ["store", store]]);
}

function devOptions(flags: Flags, host: CliHost): RunOptions {
  const options = readRunOptions(new Map([...flags, ["watch", [""]]]), host);
  const edited = (flags.get("filename") ?? []).join(" ");
  return {
    ...options,
    api: { ...options.api, isAnyPort: !flags.has("api") },
    dev: {
      greeting: (apiUrl, manifests) =>
        greeting({ edited, apiUrl, isPageShown: options.api.isPageShown }, manifests),
    },
  };
}

interface Places {
  readonly edited: string;
  readonly apiUrl: string | undefined;
  readonly isPageShown: boolean;
}

function greeting({ edited, apiUrl, isPageShown }: Places, { mappings }: Manifests): string {
  const commands = apiUrl === undefined ? [] : mappings.flatMap((one) => sendCommand(one, apiUrl) ?? []);
  const rows = [
    ...(apiUrl === undefined ? [] : [["API", apiUrl] as const]),
    ...(apiUrl === undefined || !isPageShown ? [] : [["page", `${apiUrl}/`] as const]),
    ["edit", `${edited}: what is saved there counts from the next record on`] as const,
    ...commands.map((command) => ["send", command] as const),
    ["stop", "Ctrl-C"] as const,
  ];
  return `\n${rows.map(([name, text]) => `  ${name.padEnd(6)}${text}\n`).join("")}\n`;
}

/** What the manifests say, once they are valid; `undefined`: it was stopped before. */
async function firstValid(options: RunOptions, host: CliHost): Promise<Manifests | undefined> {
  const valid = Promise.withResolvers<Manifests>();
  const stopped = new Promise<undefined>((resolve) => host.onStopSignal(() => resolve(undefined)));
  const { clock, watchFolders } = host.adapters;
  const look = () => {
    const read = options.readAgain();
    if (read.kind === "valid") valid.resolve(read.manifests);
    else tell(read, host);
  };
  const { manifests = () => "", folders = () => new Set<string>() } = options.watched ?? {};
  // Before the first look: what is changed while that is told is not missed.
  const watch = new FileWatch({
    watched: [{ known: manifests(), read: manifests, onChange: look, folders }],
    clock,
    watchFolders,
  });
  look();
  try {
    return await firstOf(valid.promise, whenSettled(stopped));
  } finally {
    watch.stop();
  }
}

function tell(loaded: LoadedManifests, { stderr }: CliHost): void {
  if (loaded.kind === "valid") return;
  stderr.write(
    `${formatProblems(loaded.problems)}\nNothing runs yet: waiting for the manifests to be changed.\n`,
  );
}
