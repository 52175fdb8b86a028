import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parseQueueArn } from "../../connectors/local/queue-arn.ts";
import { openLocalQueueSource } from "../../connectors/local/queue-source.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import { describeQueueSourceContract } from "./queue-source.ts";
import type { QueueFixture } from "./queue-source-harness.ts";

const arnOf = (name: string) => parseQueueArn(`arn:aws:local:eu-west-1:123456789012:queue/${name}`);

describeQueueSourceContract("local queue", {
  can: { fifo: true, tellLostAcknowledgements: true, change: true, damage: true },
  async createQueue({ isFifo, visibilityMs }): Promise<QueueFixture> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"));
    const path = join(folder, "streams.db");
    let clockMs = Date.UTC(2026, 0, 1);
    const now = () => clockMs;
    const file = openStreamFile(path, { now });
    const name = isFifo ? "orders.fifo" : "orders";
    let queue = file.createQueue({ name, visibilityMs });
    const change = (sql: string, ...values: SQLInputValue[]) => {
      const database = new DatabaseSync(path);
      try {
        database.prepare(sql).run(...values);
      } finally {
        database.close();
      }
    };
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
      async reshape(ms) {
        change("UPDATE queue SET visibility_ms = ? WHERE name = ?", ms, name);
      },
      async remove() {
        change("DELETE FROM queue WHERE name = ?", name);
      },
      async remake(ms) {
        queue = file.createQueue({ name, visibilityMs: ms });
      },
      async sendDamaged() {
        const [sent] = queue.send([{ body: "damaged" }]);
        change(
          "UPDATE message_content SET sent_ms = 9007199254740993 WHERE message_id = ?",
          sent?.messageId ?? "",
        );
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
