import { firstOf, whenSettled } from "../lib/first-of.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import { describeError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogWriter } from "./adapters.ts";
import { type CliHost, EXIT_FAILED, type ExitStatus } from "./command.ts";
import { FileWatch } from "./file-watch.ts";
import { hasFailed } from "./mapping-progress.ts";
import { ProgressDisplay } from "./progress-display.ts";
import { openRunErrors } from "./run-errors.ts";
import { createLog } from "./run-log.ts";
import type { RunOptions } from "./run-options.ts";
import { RunningManifests } from "./running-manifests.ts";
import { printable, printableOutput } from "./terminal-text.ts";
import { watchSignals } from "./watch-signals.ts";

/** Runs until a stop signal. @throws MillraceError when it cannot start. */
export async function runManifests(
  manifests: Manifests,
  options: RunOptions,
  host: CliHost,
): Promise<ExitStatus> {
  const { adapters } = host;
  adapters.chooseAwsReadPath(options.awsReadPath);
  const display = host.stderr.isTTY === true ? new ProgressDisplay(host.stderr, adapters.clock) : undefined;
  const lines = linesOf(display, options, host);
  const telemetry = adapters.createTelemetry(
    withProcess(options.processId, createLog(lines, options.logLevel, host)),
    options.logLevel,
  );
  const errors = openRunErrors(options, lines, telemetry, host);
  host.onFatal((error) => {
    display?.stop();
    const stack = error instanceof Error ? error.stack : undefined;
    telemetry.log("error", "ending on an error that nothing handled", { error: describeError(error), stack });
    host.exitNow(EXIT_FAILED);
  });

  const ended = new AbortController();
  let watch: FileWatch | undefined;
  const running = new RunningManifests(manifests, options, host, telemetry);
  const stopSignal = watchSignals(host, telemetry.log, { onReload: () => running.reload() });
  try {
    const prefix = options.processId === undefined ? "" : `[process ${options.processId}] `;
    const show = (line: string) =>
      display === undefined
        ? host.stderr.write(`${prefix}${printableOutput(line)}\n`)
        : display.line(prefix + printable(line));
    await running.start(show, errors);
    host.stdout.write(running.greeting());
    display?.start(() => running.progress());
    watch = watchFiles(running, options, host);
    const reason = await firstOf(
      stopSignal,
      ...(options.untilCaughtUp ? [whenSettled(caughtUp(running, adapters.clock, ended.signal))] : []),
    );
    watch?.stop();
    telemetry.log("info", "stopping", { reason, drainMs: options.drainMs });
    const isIncomplete = reason === "caught up" && running.tellUnstarted();
    const status = await running.stop();
    return isIncomplete ? EXIT_FAILED : status;
  } finally {
    ended.abort();
    watch?.stop();
    await running.close();
    errors.stop();
    display?.stop();
  }
}

/** Where lines for people go; `undefined`: machines read them. */
function linesOf(display: ProgressDisplay | undefined, { dev }: RunOptions, { stderr }: CliHost) {
  const plain = dev === undefined ? undefined : { line: (text: string) => void stderr.write(`${text}\n`) };
  return display ?? plain;
}

function watchFiles(
  running: RunningManifests,
  { watched }: RunOptions,
  { adapters }: CliHost,
): FileWatch | undefined {
  if (watched === undefined) return undefined;
  const { clock, watchFolders } = adapters;
  const { moduleFiles } = running;
  return new FileWatch({
    watched: [
      {
        known: watched.known,
        read: watched.manifests,
        onChange: () => running.reload(),
        folders: watched.folders,
      },
      {
        known: "",
        read: () => moduleFiles.changes(),
        onChange: () => running.reopen(),
        folders: () => moduleFiles.folders(),
      },
    ],
    clock,
    watchFolders,
  });
}

function withProcess(processId: string | undefined, log: LogWriter): LogWriter {
  if (processId === undefined) return log;
  return (level, message, fields) => log(level, message, { process: processId, ...fields });
}

const CAUGHT_UP_POLL_MS = 50;

/**
 * Resolves once all mappings are caught up; looks no longer when `end` aborts, since its timer would keep the process.
 */
function caughtUp(running: RunningManifests, clock: Clock, end: AbortSignal): Promise<"caught up"> {
  return new Promise((resolve) => {
    const look = () => {
      if (end.aborted) return;
      // One that waits for somebody's change would have whoever waits for the end wait for ever.
      if (running.status().every((mapping) => mapping.caughtUp || hasFailed(mapping))) resolve("caught up");
      else clock.schedule(CAUGHT_UP_POLL_MS, look);
    };
    look();
  });
}
