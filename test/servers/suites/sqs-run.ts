import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { SQS } from "@aws-sdk/client-sqs";

export interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string; readonly MessageGroupId?: string };
}

/** What the function answers, after it has been told of the batch. */
export interface QueueAnswer {
  readonly failed: boolean;
  readonly body?: unknown;
}

/** A function behind HTTP that a test sees all invocations of. */
export async function startQueueFunction(
  t: TestContext,
  answer: (records: readonly SqsRecord[]) => QueueAnswer | Promise<QueueAnswer>,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as { Records: SqsRecord[] };
      const { failed, body } = await answer(Records);
      response.writeHead(200, failed ? { "X-Amz-Function-Error": "Unhandled" } : {});
      response.end(JSON.stringify(body ?? null));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

export interface TestQueue {
  readonly url: string;
  readonly arn: string;
}

/** Queues of one test; gone at its end. */
export class TestQueues {
  readonly sqs = new SQS({ useQueueUrlAsEndpoint: false });

  async create(isFifo: boolean, visibilitySeconds: number, redrive?: { to: TestQueue; after: number }) {
    const QueueName = `q-${randomUUID()}${isFifo ? ".fifo" : ""}`;
    const Attributes: Record<string, string> = { VisibilityTimeout: String(visibilitySeconds) };
    if (isFifo) Attributes["FifoQueue"] = "true";
    if (redrive !== undefined) {
      const policy = { deadLetterTargetArn: redrive.to.arn, maxReceiveCount: redrive.after };
      Attributes["RedrivePolicy"] = JSON.stringify(policy);
    }
    const { QueueUrl: url = "" } = await this.sqs.createQueue({ QueueName, Attributes });
    const { Attributes: read } = await this.sqs.getQueueAttributes({
      QueueUrl: url,
      AttributeNames: ["QueueArn"],
    });
    return { url, arn: read?.["QueueArn"] ?? "" };
  }

  /** In the order given, ten a call. */
  async send(queue: TestQueue, bodies: readonly string[], groupOf?: (body: string) => string): Promise<void> {
    for (let from = 0; from < bodies.length; from += 10) {
      const Entries = bodies.slice(from, from + 10).map((MessageBody, index) => ({
        Id: String(index),
        MessageBody,
        ...(groupOf === undefined
          ? {}
          : { MessageGroupId: groupOf(MessageBody), MessageDeduplicationId: MessageBody }),
      }));
      const { Failed = [] } = await this.sqs.sendMessageBatch({ QueueUrl: queue.url, Entries });
      if (Failed.length > 0) throw new Error(`a message was not sent: ${Failed[0]?.Message}`);
    }
  }

  /** Waiting and held messages, as the queue counts them. */
  async depth(queue: TestQueue): Promise<number> {
    const { Attributes = {} } = await this.sqs.getQueueAttributes({
      QueueUrl: queue.url,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    });
    return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
  }

  async bodies(queue: TestQueue): Promise<readonly string[]> {
    const { Messages = [] } = await this.sqs.receiveMessage({ QueueUrl: queue.url, MaxNumberOfMessages: 10 });
    return Messages.map(({ Body = "" }) => Body);
  }
}

export function writeQueueManifest(
  t: TestContext,
  queue: TestQueue,
  url: string,
  timeoutSeconds: number,
  settings: readonly string[],
): { folder: string; manifest: string } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-sqs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const manifest = join(folder, "manifest.yaml");
  writeFileSync(
    manifest,
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: worker }
spec: { http: { url: "${url}" }, timeoutSeconds: ${timeoutSeconds} }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: jobs }
spec:
  functionName: worker
  eventSourceArn: ${queue.arn}
${settings.map((line) => `  ${line}\n`).join("")}`,
  );
  return { folder, manifest };
}
