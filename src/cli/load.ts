import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { FinishedLoad } from "../load/load-run.ts";
import type { LoadedScenario, ScenarioFile } from "../load/load-scenario.ts";
import type { TellerPlace } from "../load/page-teller.ts";
import { formatProblem, type ManifestProblem } from "../manifests/problem.ts";
import type { Flags } from "./command.ts";
import {
  type CliHost,
  type Command,
  EXIT_BAD_INPUT,
  EXIT_FAILED,
  EXIT_OK,
  type ExitStatus,
} from "./command.ts";
import { LoadDisplay } from "./load-display.ts";
import { formatLoadSummary } from "./load-summary.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import type { StopSignal } from "./stop-signal.ts";
import { SIGNAL_STATUS } from "./watch-signals.ts";

const DEFAULT_OUT = ".millrace/load";

export const loadCommand: Command = {
  name: "load",
  summary: "Runs a load test and checks what the function saw.",
  usage: "load -f FILE [FLAGS]",
  details: `Sends records to a source by a scenario, runs the engine over it as a process of its own, is its function, and checks
that nothing is lost, keys are in order and duplicates stay within their bound. Leaves report.html and result.json.
Exit status 0: all held, 1: something did not, 2: the scenario is not valid.`,
  flags: {
    filename: { short: "f", value: "FILE", description: "The scenario." },
    out: {
      value: "FOLDER",
      description: `Where the report, the results and the engine's log go. Default ${DEFAULT_OUT}/NAME.`,
    },
    api: {
      value: "URL",
      description:
        "A millrace that runs anyway, whose page shows the test too. A token is taken from MILLRACE_API_TOKEN.",
    },
    example: { description: "Print a scenario to begin with." },
    schema: { description: "Print the JSON Schema of scenarios." },
    compare: {
      value: "RESULT",
      isRepeatable: true,
      description:
        "A result.json; given twice, the second is compared with the first. Leaves comparison.html.",
    },
  },
  run: async (flags, host) => {
    const load = await import("../load/load-scenario.ts");
    if (flags.has("example")) {
      host.stdout.write((await import("../load/example.ts")).EXAMPLE);
      return EXIT_OK;
    }
    if (flags.has("schema")) {
      host.stdout.write(load.scenarioJsonSchemaText());
      return EXIT_OK;
    }
    const compared = flags.get("compare");
    if (compared !== undefined) return await compare(compared, flags, host);
    const file = lastValue(flags, "filename");
    if (file === undefined) throw usageError("--filename is missing. Give --filename FILE.", loadCommand);
    return await runScenario(load.loadScenario(file), flags, host);
  },
};

async function runScenario(loaded: LoadedScenario, flags: Flags, host: CliHost): Promise<ExitStatus> {
  if (loaded.kind === "invalid") return refuse(loaded.problems, host);
  const { scenario } = loaded;
  const folder = resolve(lastValue(flags, "out") ?? join(DEFAULT_OUT, scenario.scenario.metadata.name));
  mkdirSync(folder, { recursive: true });
  const workFolder = mkdtempSync(join(tmpdir(), "millrace-load-"));
  const display = new LoadDisplay(host.stderr, host.adapters.clock);
  let finished: FinishedLoad;
  try {
    finished = await runUntilSignal(scenario, {
      folder,
      workFolder,
      display,
      host,
      shownAt: shownAt(flags, host),
    });
  } finally {
    display.stop();
    rmSync(workFolder, { recursive: true, force: true });
  }
  if (finished.kind === "invalid") return refuse(finished.problems, host);
  const { result } = finished;
  const { reportHtml } = await import("../load/report/report.ts");
  writeFileSync(join(folder, "result.json"), `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileSync(join(folder, "report.html"), reportHtml(result));
  host.stdout.write(formatLoadSummary(result, join(folder, "report.html")));
  return result.passed ? EXIT_OK : EXIT_FAILED;
}

interface LoadPlaces {
  readonly folder: string;
  readonly workFolder: string;
  readonly display: LoadDisplay;
  readonly host: CliHost;
  readonly shownAt: TellerPlace | undefined;
}

/** @throws MillraceError ERR_MILLRACE_CONFIG */
function shownAt(flags: Flags, { environment }: CliHost): TellerPlace | undefined {
  const url = lastValue(flags, "api");
  if (url === undefined) return undefined;
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: "" };
  if (protocol !== "http:" && protocol !== "https:") {
    throw usageError(`--api ${url} is no address. Give one such as http://127.0.0.1:8080.`, loadCommand);
  }
  const token = environment["MILLRACE_API_TOKEN"];
  return { url, token: token === "" ? undefined : token };
}

/** The first signal ends the sending, and what was sent is still judged; the second ends the process. */
async function runUntilSignal(
  scenario: ScenarioFile,
  { folder, workFolder, display, host, shownAt }: LoadPlaces,
): Promise<FinishedLoad> {
  const { runLoad } = await import("../load/load-run.ts");
  const stop = new AbortController();
  host.onStopSignal((signal: StopSignal) => {
    if (stop.signal.aborted) host.exitNow(SIGNAL_STATUS[signal]);
    stop.abort();
  });
  return await runLoad({
    scenario,
    connectors: host.adapters.connectors,
    folder,
    workFolder,
    version: host.version,
    onProgress: (progress) => display.show(progress),
    shownAt,
    signal: stop.signal,
  });
}

async function compare(files: readonly string[], flags: Flags, host: CliHost): Promise<ExitStatus> {
  const [before, after] = files;
  if (before === undefined || after === undefined || files.length > 2) {
    throw usageError("--compare is given once for each of two results.", loadCommand);
  }
  const [{ readResult }, { comparisonHtml, formatComparison }] = await Promise.all([
    import("../load/read-result.ts"),
    import("../load/report/comparison.ts"),
  ]);
  const pair = [readResult(before), readResult(after)] as const;
  const folder = resolve(lastValue(flags, "out") ?? DEFAULT_OUT);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "comparison.html");
  writeFileSync(file, comparisonHtml(...pair));
  host.stdout.write(`${formatComparison(...pair)}\nComparison: ${file}\n`);
  return EXIT_OK;
}

function refuse(problems: readonly ManifestProblem[], host: CliHost): ExitStatus {
  const count = `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
  host.stderr.write(`${problems.map(formatProblem).join("\n")}\n${count}.\n`);
  return EXIT_BAD_INPUT;
}
