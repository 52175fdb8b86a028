import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { startOtlpCollector } from "../../servers/otlp-collector.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";

/** Texts that no log, metric, status or span may hold, wherever they came from. */
const PLANTED = {
  data: "planted-record-data",
  key: "planted-partition-key",
  body: "planted-message-body",
  group: "planted-group-id",
  attribute: "planted-attribute",
  errorMessage: "planted-error-message",
  stack: "planted-stack-trace",
  response: "planted-response-header",
  collectorKey: "planted-collector-key",
  awsSecret: "planted-aws-secret",
} as const;

/** A stream and a FIFO queue in one file, both of one function, with planted texts all over. */
function plantedFolder(t: TestContext, url: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-logs-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = openStreamFile(join(folder, "sources.db"));
  file
    .createStream({ name: "orders", shards: 1 })
    .append([{ partitionKey: PLANTED.key, data: PLANTED.data }]);
  file.createQueue({ name: "jobs.fifo", visibilityMs: 2000 }).send([
    {
      body: PLANTED.body,
      groupId: PLANTED.group,
      messageAttributes: { secret: { dataType: "String", stringValue: PLANTED.attribute } },
    },
  ]);
  file.close();
  const mapping = (name: string, source: string, lines: string) => `---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:${source}
  batchSize: 1
  endpoints: { LOCAL_FILE: [sources.db] }
${lines}
`;
  const stream = `  startingPosition: TRIM_HORIZON
  maximumRetryAttempts: 1
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }`;
  writeFileSync(
    join(folder, "orders.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 2 }
${mapping("orders-stream", "stream/orders", stream)}${mapping("jobs-queue", "queue/jobs.fifo", "")}`,
  );
  return folder;
}

/** Cannot be reached by the stream's first call, and fails in all others, with planted texts in every answer. */
async function startFailingFunction(t: TestContext): Promise<string> {
  let isDown = true;
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      response.setHeader("x-secret", PLANTED.response);
      if (isDown && text.includes('"kinesis"')) {
        isDown = false;
        response.writeHead(503).end(PLANTED.response);
        return;
      }
      const error = {
        errorType: "OrderError",
        errorMessage: PLANTED.errorMessage,
        stackTrace: [PLANTED.stack],
      };
      response.writeHead(200, { "x-amz-function-error": "Unhandled" }).end(JSON.stringify(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test("the logs of a failing batch tell its way by request id and trace id, and no log, metric, status or span holds a secret", async (t) => {
  const collector = await startOtlpCollector();
  t.after(() => collector.close());
  const url = await startFailingFunction(t);
  const folder = plantedFolder(t, url);
  const words = ["run", "-f", "orders.yaml", "--api", "127.0.0.1:0", "--log-level", "debug"];
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${PLANTED.collectorKey}`,
    OTEL_BSP_SCHEDULE_DELAY: "50",
    AWS_SECRET_ACCESS_KEY: PLANTED.awsSecret,
  };
  const run = new MillraceProcess(t, [...words, "--otlp", collector.url], folder, { env });
  const delivered = "discarded records were delivered to the failure destination";
  const end = await run.logged(delivered);
  await until(
    () => collector.spans.some(({ name }) => name === "send failure record"),
    () => run.stderr,
  );
  const api = await run.apiUrl();
  const pages = await Promise.all(
    ["/metrics", "/millrace/v1/status"].map(async (path) => (await fetch(api + path)).text()),
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);

  const story = run.logs().filter(({ requestId }) => requestId === end["requestId"]);
  assert.deepEqual(
    story.map(({ message, outcome }) => outcome ?? message),
    [
      "unavailable",
      "invocations fail; their batches are retried or given up as the mapping says",
      "functionError",
      "invocations fail; their batches are retried or given up as the mapping says",
      "a failed batch is tried again",
      "functionError",
      delivered,
    ],
  );
  for (const line of story) {
    assert.equal(line["mapping"], "orders-stream", line.message);
    assert.match(String(line["shardId"]), /^shardId-/, line.message);
    assert.equal(line["traceId"], end["traceId"], line.message);
  }
  const spans = collector.spans.filter(({ traceId }) => traceId === end["traceId"]);
  assert.ok(spans.length >= 3, "attempts and a delivery");
  const ended = story.filter(({ message }) => message === "an invocation has ended");
  assert.equal(spans.filter(({ name }) => name === "process orders").length, ended.length);

  const shown = [run.stdout, run.stderr, ...pages, ...collector.requests.map(({ text }) => text)].join("\n");
  for (const [place, text] of Object.entries(PLANTED)) {
    assert.ok(
      !shown.includes(text),
      `${place} is shown: ${shown.slice(Math.max(0, shown.indexOf(text) - 300))}`,
    );
    assert.ok(!shown.includes(Buffer.from(text).toString("base64")), `${place} is shown in base64`);
  }
  // They were there to be shown: the destination, whose business they are, has them.
  assert.match(readFileSync(join(folder, "failed.jsonl"), "utf8"), new RegExp(PLANTED.key));
  assert.equal(collector.requests[0]?.headers["api-key"], PLANTED.collectorKey);
});
