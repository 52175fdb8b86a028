import { firstOf, whenLate, whenSettled } from "../../lib/first-of.ts";
import { MillraceError } from "../../model/errors.ts";
import type { LogLevel } from "../../ports/telemetry.ts";
import type { LogWriter } from "../adapters.ts";
import { type CliHost, EXIT_FAILED, EXIT_OK, type ExitStatus } from "../command.ts";
import { ProgressDisplay } from "../progress-display.ts";
import { createLog } from "../run-log.ts";
import type { StoreUrl } from "../store-url.ts";
import { formatLogLine, printable } from "../terminal-text.ts";
import { watchSignals } from "../watch-signals.ts";
import type { GroupReport } from "./group-messages.ts";
import { ProcessGroup } from "./process-group.ts";

export interface ProcessesOptions {
  readonly processes: number;
  readonly store: StoreUrl;
  readonly logLevel: LogLevel;
  readonly drainMs: number;
  readonly untilCaughtUp: boolean;
}

/** What processes may take beyond their drain before they are killed. */
const STOP_GRACE_MS = 15_000;
const LOOK_MS = 500;
const LOG_ERROR_TEXT = "--log-error-text";
/** The field `process` of the parent's own log lines. */
const PARENT = "parent";

/**
 * Runs several processes of this command line on one host until a stop signal. The parent only starts, watches and
 * stops them.
 * @throws MillraceError ERR_MILLRACE_CONFIG for what several processes cannot do.
 */
export async function runProcesses(options: ProcessesOptions, host: CliHost): Promise<ExitStatus> {
  checkShared(options);
  const { adapters } = host;
  const display = host.stderr.isTTY === true ? new ProgressDisplay(host.stderr, adapters.clock) : undefined;
  const write = createLog(display, options.logLevel, host);
  const { log } = adapters.createTelemetry(
    (level, message, fields) => write(level, message, { process: PARENT, ...fields }),
    options.logLevel,
  );
  const words = membersWords(host.words, display !== undefined);
  const group = new ProcessGroup({
    size: options.processes,
    fork: (processId) => adapters.startProcess([...words, "--process-id", processId]),
    clock: adapters.clock,
    log,
    onLine: (line) =>
      display === undefined ? host.stderr.write(`${line}\n`) : showLine(display, adapters.clock.now(), line),
    metrics: adapters.createMetricsMerger(),
  });
  const stopSignal = watchSignals(host, log, {
    onReload: () => group.reload(),
    beforeExit: () => group.killAll(),
  });
  const look = display === undefined ? undefined : watchProgress(group, display, host);
  try {
    const failed = await firstOf(group.start(), whenSettled(stopSignal.then(() => undefined)));
    if (failed !== undefined) return failed;
    const signal = await stopSignal;
    log("info", "stopping", { reason: signal, drainMs: options.drainMs });
    const late = whenLate(adapters.clock, options.drainMs + STOP_GRACE_MS, "late" as const);
    const status = await firstOf(group.stop(signal), late);
    if (status === "late") {
      log("error", "processes that did not stop in time are killed", { drainMs: options.drainMs });
      group.killAll();
      return EXIT_FAILED;
    }
    if (status === EXIT_OK) log("info", "stopped", {});
    return status;
  } finally {
    look?.cancel();
    display?.stop();
  }
}

function checkShared({ store, untilCaughtUp }: ProcessesOptions): void {
  if (store.kind === "memory") {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      "--processes needs a store that all processes share, and memory: is of one. " +
        "Give --store sqlite:PATH, postgres://… or dynamodb:TABLE.",
    );
  }
  if (untilCaughtUp) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      "--until-caught-up is for one process: none of several knows when all is done. Leave --processes or it out.",
    );
  }
}

/**
 * Those of this command line without what only the parent does. `isTerminal`: people read what members log, with the
 * texts that belong on a terminal.
 */
export function membersWords(words: readonly string[], isTerminal = false): readonly string[] {
  const kept = words.filter(
    (word, index) =>
      word !== "--processes" && words[index - 1] !== "--processes" && !word.startsWith("--processes="),
  );
  return isTerminal && !kept.includes(LOG_ERROR_TEXT) ? [...kept, LOG_ERROR_TEXT] : kept;
}

function watchProgress(group: ProcessGroup, display: ProgressDisplay, { adapters }: CliHost) {
  let newest: GroupReport = { mappings: [], metricsText: "" };
  let timer = { cancel: () => {} };
  const look = () => {
    void group.report(false).then((report) => {
      newest = report;
      timer = adapters.clock.schedule(LOOK_MS, look);
    });
  };
  look();
  display.start(() => newest.mappings);
  return { cancel: () => timer.cancel() };
}

/** Lines of logs for people; what functions print as it is. */
function showLine(display: ProgressDisplay, nowMs: number, line: string): void {
  const entry = readLogLine(line);
  if (entry === undefined) display.line(printable(line));
  else display.line(formatLogLine(nowMs, entry.level, entry.message, entry.fields));
}

function readLogLine(line: string) {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, message, time: _time, ...fields } = JSON.parse(line);
    return { level, message: String(message), fields } as {
      level: LogLevel;
      message: string;
      fields: Parameters<LogWriter>[2];
    };
  } catch {
    return undefined;
  }
}
