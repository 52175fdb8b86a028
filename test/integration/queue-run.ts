import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export interface SqsRecord {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string; readonly MessageGroupId?: string };
}

/** What the function returns, or that it fails. */
export type QueueAnswer = { readonly fails: true } | { readonly fails?: false; readonly body?: unknown };

/** A function behind HTTP that a test sees all invocations of. Resolves to its URL. */
export async function startQueueFunction(
  t: TestContext,
  answer: (records: readonly SqsRecord[]) => QueueAnswer | Promise<QueueAnswer>,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as { Records: SqsRecord[] };
      const result = await answer(Records);
      if (result.fails === true) {
        response.writeHead(200, { "X-Amz-Function-Error": "Unhandled" }).end('{"errorMessage":"failed"}');
      } else response.end(JSON.stringify(result.body ?? null));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A partial response that lists these. */
export function failuresOf(records: readonly SqsRecord[]): QueueAnswer {
  return { body: { batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })) } };
}

export interface QueueManifest {
  readonly eventSourceArn: string;
  /** `http: { … }` or `module: { … }`. */
  readonly functionSpec: string;
  readonly timeoutSeconds: number;
  /** Lines of the mapping's spec. */
  readonly settings?: readonly string[];
}

/** A folder of its own with a manifest of one function and one mapping of a queue. */
export function writeQueueManifest(
  t: TestContext,
  { eventSourceArn, functionSpec, timeoutSeconds, settings = [] }: QueueManifest,
): { folder: string; manifest: string } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-queue-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const manifest = join(folder, "jobs.yaml");
  writeFileSync(
    manifest,
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: jobs }
spec: { ${functionSpec}, timeoutSeconds: ${timeoutSeconds} }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: jobs-queue }
spec:
  functionName: jobs
  eventSourceArn: ${eventSourceArn}
${settings.map((line) => `  ${line}\n`).join("")}`,
  );
  return { folder, manifest };
}
