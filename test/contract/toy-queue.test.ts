import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openToyQueue, QUEUE_TOY } from "../toys/queue-toy.ts";
import { describeQueueSourceContract } from "./queue-source.ts";
import type { QueueFixture } from "./queue-source-harness.ts";

describeQueueSourceContract("toy queue", {
  can: { fifo: false, tellLostAcknowledgements: true, change: false, damage: false },
  async createQueue({ visibilityMs }): Promise<QueueFixture> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-toy-"));
    const path = join(folder, "letters.json");
    writeFileSync(path, JSON.stringify({ visibilityMs, letters: [] }));
    let clockMs = Date.UTC(2026, 0, 1);
    let sent = 0;
    return {
      openSource: async () => openToyQueue(path, QUEUE_TOY.arn("contract"), () => clockMs),
      async send(messages) {
        const box = JSON.parse(readFileSync(path, "utf8"));
        for (const { body } of messages)
          box.letters.push({ id: `m-${++sent}`, body, receives: 0, hiddenMs: 0 });
        writeFileSync(path, JSON.stringify(box));
      },
      async pause(ms) {
        clockMs += ms;
      },
      bodiesOf(event) {
        const { Records } = event as { Records: readonly { body: string }[] };
        return Records.map(({ body }) => body);
      },
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true });
      },
    };
  },
  openMissingQueue: async () => openToyQueue("/nowhere/letters.json", QUEUE_TOY.arn("missing")),
});
