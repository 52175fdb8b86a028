import type { Adapters } from "../../../src/cli/adapters.ts";
import { runCli } from "../../../src/cli/cli.ts";
import type { CliHost } from "../../../src/cli/command.ts";
import { CONTEXT } from "../manifests/manifest-samples.ts";

/** What commands other than `run` use; the rest of the adapters fails when it is touched. */
export const ADAPTERS: Adapters = {
  connectors: CONTEXT.connectors,
  destinations: [],
  targets: [],
  clock: { now: () => CONTEXT.nowMs, monotonic: untouched, schedule: untouched },
  random: { next: untouched, uuid: untouched },
  createEngine: untouched,
  chooseAwsReadPath: untouched,
  openStore: untouched,
  openResourceStore: untouched,
  openCellStore: untouched,
  openFailureIndex: untouched,
  openFailureReader: untouched,
  openSnapshotStore: untouched,
  openParkingStore: untouched,
  openAsyncQueue: untouched,
  openFunction: untouched,
  openPackages: untouched,
  watchFolders: untouched,
  openDestination: untouched,
  openHttpDestination: untouched,
  createTelemetry: untouched,
  createJsonLog: untouched,
  openTracing: untouched,
  startProcess: untouched,
  createMetricsMerger: untouched,
  attach: untouched,
  startApi: untouched,
  startController: untouched,
  startScaler: untouched,
  openAlarmQuery: untouched,
  startFront: untouched,
};

function untouched(): never {
  throw new Error("This test does not expect the adapter to be used.");
}

/** Standard input that holds these pieces. */
export async function* inputOf(...pieces: readonly (Uint8Array | string)[]) {
  yield* pieces;
}

export async function runWords(
  words: readonly string[],
  adapters: Partial<Adapters> = {},
  environment: CliHost["environment"] = {},
  stdin: CliHost["stdin"] = inputOf(),
): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  const host: CliHost = {
    version: "1.2.3",
    stdout: {
      write(text) {
        stdout += text;
      },
    },
    stderr: {
      write(text) {
        stderr += text;
      },
    },
    stdin,
    adapters: { ...ADAPTERS, ...adapters },
    words,
    environment,
    onStopSignal: untouched,
    exitNow: untouched,
    onFatal: untouched,
  };
  const status = await runCli(words, host);
  return { status, stdout, stderr };
}
