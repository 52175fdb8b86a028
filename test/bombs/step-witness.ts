/**
 * Loaded before a process: from a SIGUSR2 on, when all is loaded, it wakes every 20 ms. As the process ends it writes
 * down the longest time that it was late, and the most processor time that the main thread took within one such time.
 * On a machine that is busy with others the first is theirs too; the second is the process's own.
 */
import { writeFileSync } from "node:fs";

const WAKE_MS = 20;
const STEP_MS_MAX = 200;
const path = process.env["MILLRACE_STEP_WITNESS"] ?? "";
const LONG_MAX = 20;
const seen = { lateMs: 0, ownMs: 0, wakes: 0, long: [] as { atMs: number; ownMs: number }[] };

process.once("SIGUSR2", () => {
  let lastMs = performance.now();
  let last = process.threadCpuUsage();
  setInterval(() => {
    const nowMs = performance.now();
    const now = process.threadCpuUsage();
    const ownMs = (now.user + now.system - last.user - last.system) / 1_000;
    seen.lateMs = Math.max(seen.lateMs, nowMs - lastMs - WAKE_MS);
    seen.ownMs = Math.max(seen.ownMs, ownMs);
    seen.wakes++;
    if (ownMs > STEP_MS_MAX && seen.long.length < LONG_MAX) {
      seen.long.push({ atMs: Math.round(nowMs), ownMs: Math.round(ownMs) });
    }
    [lastMs, last] = [nowMs, now];
  }, WAKE_MS).unref();
});

process.on("exit", () => writeFileSync(path, JSON.stringify(seen)));
