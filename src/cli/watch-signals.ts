import type { Telemetry } from "../ports/telemetry.ts";
import type { CliHost, ExitStatus } from "./command.ts";
import type { StopSignal } from "./stop-signal.ts";

/** A shell's statuses for what was ended by a signal. */
export const SIGNAL_STATUS: Readonly<Record<StopSignal, ExitStatus>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};

interface SignalActions {
  /** A hang-up where there is no terminal: nobody went away, somebody changed something. */
  readonly onReload: () => void;
  /** Before the process ends at once. */
  readonly beforeExit?: () => void;
}

/** Resolves at the first signal. From the second on the process ends at once, with a shell's status for the signal. */
export function watchSignals(
  host: CliHost,
  log: Telemetry["log"],
  { onReload, beforeExit }: SignalActions,
): Promise<StopSignal> {
  const first = Promise.withResolvers<StopSignal>();
  let signals = 0;
  host.onStopSignal((signal) => {
    // plant: a-hang-up-without-a-terminal-stops
    if (signal === "SIGHUP" && host.stderr.isTTY !== true) return onReload();
    signals += 1;
    if (signals === 1) {
      first.resolve(signal);
      return;
    }
    log("warn", "stopping at once; what is in flight will be repeated after the next start", { signal });
    beforeExit?.();
    host.exitNow(SIGNAL_STATUS[signal]);
  });
  return first.promise;
}
