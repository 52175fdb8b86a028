import { setTimeout as sleep } from "node:timers/promises";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import { PLAIN_QUEUE_MAPPING } from "../fixtures/queue-mapping.ts";
import type { QueueFixture } from "./queue-source-harness.ts";

export function openSqsSource(eventSourceArn: string): Promise<QueueSource> {
  return sqsConnector.openQueue({ ...PLAIN_QUEUE_MAPPING, eventSourceArn }, {});
}

/** A queue of some server, which `server` sends to and drops. Time is the server's own. */
export function sqsFixture(
  eventSourceArn: string,
  server: { readonly send: QueueFixture["send"]; drop(): Promise<void> },
): QueueFixture {
  const sources: QueueSource[] = [];
  return {
    async openSource() {
      const source = await openSqsSource(eventSourceArn);
      sources.push(source);
      return source;
    },
    send: server.send,
    pause: (ms) => sleep(ms),
    bodiesOf(event) {
      const { Records } = event as { readonly Records: readonly { readonly body: string }[] };
      return Records.map(({ body }) => body);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
      await server.drop();
    },
  };
}
