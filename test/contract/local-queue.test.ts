import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseQueueArn } from "../../connectors/local/queue-arn.ts";
import { openLocalQueueSource } from "../../connectors/local/queue-source.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import { describeQueueSourceContract } from "./queue-source.ts";
import type { QueueFixture } from "./queue-source-harness.ts";

const arnOf = (name: string) => parseQueueArn(`arn:aws:local:eu-west-1:123456789012:queue/${name}`);

describeQueueSourceContract("local queue", {
  can: { fifo: true, tellLostAcknowledgements: true },
  async createQueue({ isFifo, visibilityMs }): Promise<QueueFixture> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const path = join(folder, "streams.db");
    let clockMs = Date.UTC(2026, 0, 1);
    const now = () => clockMs;
    const file = openStreamFile(path, { now });
    const name = isFifo ? "orders.fifo" : "orders";
    const queue = file.createQueue({ name, visibilityMs });
    const sources: QueueSource[] = [];
    return {
      async openSource() {
        const source = openLocalQueueSource(path, arnOf(name), { now });
        sources.push(source);
        return source;
      },
      async send(messages) {
        queue.send(messages);
      },
      async pause(ms) {
        clockMs += ms;
      },
      bodiesOf(event) {
        const { Records } = event as { Records: readonly { body: string }[] };
        return Records.map(({ body }) => body);
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(sources.map((source) => source.close()));
        file.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  async openMissingQueue() {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    try {
      openStreamFile(join(folder, "streams.db")).close();
      return openLocalQueueSource(join(folder, "streams.db"), arnOf("missing"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});
