/**
 * Loaded before a process: some seconds after a SIGUSR2, when all is loaded, it holds the event loop for so much
 * processor time, to show that this is seen.
 */
const AFTER_MS = 2_000;
const HOLD_MS = 300;

process.once("SIGUSR2", () => setTimeout(hold, AFTER_MS));

function hold(): void {
  const from = process.threadCpuUsage();
  let usedMs = 0;
  while (usedMs < HOLD_MS) {
    const now = process.threadCpuUsage();
    usedMs = (now.user + now.system - from.user - from.system) / 1_000;
  }
}
