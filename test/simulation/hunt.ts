import { Worker } from "node:worker_threads";
import type { Hunt, HuntResult } from "./planted-bug-worker.ts";

/** Stops a hunt that hangs; no bug is judged by it. */
const HUNT_MS_MAX = 900_000;

/** Looks for a planted bug in a thread of its own; rejects when the bug cannot be planted. */
export function hunt(task: Hunt): Promise<HuntResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("planted-bug-worker.ts", import.meta.url), { workerData: task });
    const hang = setTimeout(() => {
      reject(new Error(`the hunt for "${task.bug.name}" did not end within ${HUNT_MS_MAX} ms`));
      void worker.terminate();
    }, HUNT_MS_MAX);
    worker.once("message", (result: HuntResult) => {
      resolve(result);
      void worker.terminate();
    });
    worker.once("error", reject);
    worker.once("exit", () => clearTimeout(hang));
    worker.once("exit", () => reject(new Error(`the hunt for "${task.bug.name}" ended without a result`)));
  });
}
