/**
 * What asks this process to stop. A terminal that is closed asks too: without a listener it would kill without a drain.
 */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

export const STOP_SIGNALS: readonly StopSignal[] = ["SIGTERM", "SIGINT", "SIGHUP"];

interface Signalled {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
}

const held: StopSignal[] = [];
let holder: Signalled | undefined;

/** Keeps what comes from now on for whoever listens later. Imports nothing: it is called before anything is loaded. */
export function holdStopSignals(process: Signalled): void {
  holder = process;
  for (const signal of STOP_SIGNALS) process.on(signal, hold);
}

/** What has come since `holdStopSignals`, in its order. From now on nobody holds any more: listen before. */
export function takeStopSignals(): readonly StopSignal[] {
  for (const signal of STOP_SIGNALS) holder?.off(signal, hold);
  holder = undefined;
  return held.splice(0);
}

function hold(signal: StopSignal): void {
  held.push(signal);
}
