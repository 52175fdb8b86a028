import { setTimeout as sleep } from "node:timers/promises";
import { parseQueueArn } from "../../connectors/sqs/queue-arn.ts";
import { createSdkApi } from "../../connectors/sqs/sdk-api.ts";
import { openSqsSource as openSource } from "../../connectors/sqs/source.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type { QueueFixture } from "./queue-source-harness.ts";

/** As the connector opens it, but that it asks sooner what its queue is: no test waits for a minute. */
export function openSqsSource(eventSourceArn: string): Promise<QueueSource> {
  const arn = parseQueueArn(eventSourceArn);
  return openSource(arn, false, createSdkApi(arn), { describedAgainMs: DESCRIBED_AGAIN_MS });
}

const DESCRIBED_AGAIN_MS = 200;

export type SqsServerQueue = Pick<QueueFixture, "send" | "reshape" | "remove" | "remake"> & {
  drop(): Promise<void>;
};

/** A queue of some server, which `server` sends to and drops. Time is the server's own. */
export function sqsFixture(eventSourceArn: string, server: SqsServerQueue): QueueFixture {
  const sources: QueueSource[] = [];
  const { send, reshape, remove, remake } = server;
  return {
    ...(reshape && remove && remake && { reshape, remove, remake }),
    async openSource() {
      const source = await openSqsSource(eventSourceArn);
      sources.push(source);
      return source;
    },
    send,
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
