import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AsyncQueue } from "../../src/ports/async-queue.ts";
import { openSqliteAsyncQueue } from "../../src/stores/sqlite-async-queue.ts";
import { describeAsyncQueueContract } from "./async-queue.ts";
import { CrampedPlace, DISK_FAULTS } from "./cramped/cramped-place.ts";

describeAsyncQueueContract("sqlite queue", {
  writeFaults: DISK_FAULTS.map((name) => ({
    name,
    async createQueue() {
      const place = await CrampedPlace.create(name);
      return {
        open: () => place.openEvents(),
        begin: () => place.begin(),
        end: () => place.end(),
        [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
      };
    },
  })),
  async createQueue() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const queues: AsyncQueue[] = [];
    let nowMs = 1_700_000_000_000;
    return {
      async open() {
        const queue = await openSqliteAsyncQueue(join(folder, "progress.db"), { now: () => nowMs });
        queues.push(queue);
        return queue;
      },
      async pass(ms) {
        nowMs += ms;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(queues.map((queue) => queue.close()));
        rmSync(folder, { recursive: true });
      },
    };
  },
});
