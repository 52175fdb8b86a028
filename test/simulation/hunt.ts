import { Worker } from "node:worker_threads";
import type { Hunt, HuntMessage, HuntResult } from "./planted-bug-worker.ts";

/**
 * A seed takes milliseconds. One that takes this long has a bug that spins without end, which no checker comes to see.
 * A hunt at the lowest priority beside busy processors was seen to stand still for more than a minute.
 */
const STALL_MS = 600_000;

/** Looks for a planted bug in a thread of its own; rejects when the bug cannot be planted. */
export function hunt(task: Hunt): Promise<HuntResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("planted-bug-worker.ts", import.meta.url), { workerData: task });
    let stall: NodeJS.Timeout | undefined;
    const end = (result: HuntResult) => {
      clearTimeout(stall);
      resolve(result);
      void worker.terminate();
    };
    worker.on("message", (message: HuntMessage) => {
      clearTimeout(stall);
      if (message.kind === "result") return end(message.result);
      const spun = `seed ${message.seed} did not come to an end`;
      stall = setTimeout(end, STALL_MS, { seed: undefined, message: spun });
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error(`the hunt for "${task.bug.name}" ended without a result`)));
  });
}
