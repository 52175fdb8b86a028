import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { startKafka } from "./kafka.ts";
import { startOtlpCollector } from "./otlp-collector.ts";
import { createPlainQueue } from "./plain-queue.ts";

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };
const TRACE = "5759e988bd862e3fe1be46a994272793";
const PARENT = "53995c3f42cd8ad8";

/** A function behind HTTP: the headers of each of its invocations. */
async function startFunction(t: TestContext) {
  const calls: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    calls.push(request.headers);
    request.resume().on("end", () => response.end("null"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, calls };
}

/** Runs a mapping of this spec until its function was invoked. */
async function runTraced(t: TestContext, spec: string) {
  const collector = await startOtlpCollector();
  t.after(() => collector.close());
  const { url, calls } = await startFunction(t);
  const folder = mkdtempSync(join(tmpdir(), "millrace-traced-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const manifest = `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: fn }
spec: { http: { url: "${url}" }, timeoutSeconds: 10 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: traced }
spec:
  functionName: fn
${spec}
`;
  writeFileSync(join(folder, "traced.yaml"), manifest);
  const words = ["run", "-f", "traced.yaml", "--api", "off", "--otlp", collector.url];
  const run = new MillraceProcess(t, words, folder);
  await until(
    () => calls.length > 0,
    () => run.stderr,
    60_000,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.deepEqual(collector.faults, []);
  const [headers] = calls;
  const [span] = collector.spans;
  assert.ok(headers !== undefined && span !== undefined);
  return { headers, span };
}

test("SQS: the trace of a message's AWSTraceHeader goes on in the function", HANG, async (t) => {
  const server = await startElasticmq();
  t.after(() => server.close());
  useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
  await using queue = await createPlainQueue("standard", { VisibilityTimeout: "30" });
  const StringValue = `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${PARENT};Sampled=1`;
  const AWSTraceHeader = { DataType: "String", StringValue };
  await queue.sendOne({ MessageBody: "traced", MessageSystemAttributes: { AWSTraceHeader } });
  const { headers, span } = await runTraced(t, `  eventSourceArn: ${queue.arn}`);
  assert.equal(span.parentSpanId, PARENT);
  assert.equal(headers["traceparent"], `00-${TRACE}-${span.spanId}-01`);
  assert.equal(span.attributes["messaging.system"], "aws_sqs");
});

const kafka = await startKafka();
after(() => kafka.close());

test("Kafka: the trace of a record's traceparent goes on in the function", HANG, async (t) => {
  const topic = "traced";
  await kafka.admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
  const producer = kafka.client.producer();
  await producer.connect();
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: "vendor=1" };
  await producer.send({ topic, messages: [{ value: "traced", headers }] });
  await producer.disconnect();
  const servers = kafka.bootstrap("PLAINTEXT").map((at) => JSON.stringify(at));
  const traced = await runTraced(
    t,
    `  selfManagedEventSource: { endpoints: { KAFKA_BOOTSTRAP_SERVERS: [${servers}] } }
  topics: [${topic}]
  sourceAccessConfigurations: []
  startingPosition: TRIM_HORIZON
  selfManagedKafkaEventSourceConfig: { consumerGroupId: traced-group }`,
  );
  const { span } = traced;
  assert.equal(span.parentSpanId, PARENT);
  assert.equal(traced.headers["traceparent"], `00-${TRACE}-${span.spanId}-01`);
  assert.equal(traced.headers["tracestate"], "vendor=1");
  assert.deepEqual(
    [
      span.attributes["messaging.system"],
      span.attributes["messaging.destination.name"],
      span.attributes["messaging.destination.partition.id"],
      span.attributes["messaging.consumer.group.name"],
    ],
    ["kafka", topic, `${topic}-0`, "traced-group"],
  );
});
