import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { LogFields } from "../../../src/ports/telemetry.ts";
import type { CallSpan, InvocationSpan, Span } from "../../../src/ports/tracing.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { createOtlpExporter } from "../../../src/telemetry/otlp/otlp-exporter.ts";
import { readOtlpSettings } from "../../../src/telemetry/otlp/otlp-settings.ts";
import { startOtlpCollector } from "../../servers/otlp-collector.ts";
import { until } from "../cli/millrace-process.ts";

const SUBJECT = {
  mapping: "orders",
  mappingUuid: "9f0f5a4e-0000-4000-8000-000000000001",
  functionName: "fn",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:fn",
  sourceKind: "kinesis",
  eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
  shardId: "shardId-1",
  sourceName: undefined,
  consumerGroup: undefined,
  destination: "arn:aws:sqs:eu-west-1:123456789012:failed",
};

function invocation(number: number, changes: Partial<InvocationSpan> = {}): InvocationSpan {
  const spanId = (number + 1).toString(16).padStart(16, "0");
  return {
    kind: "invocation",
    context: { traceId: "a".repeat(32), spanId, sampled: true, traceState: undefined },
    parent: undefined,
    subject: SUBJECT,
    startMs: 1_700_000_000_000.5,
    durationMs: 12.25,
    requestId: "r",
    records: 3,
    problem: undefined,
    outcome: "succeeded",
    attempt: 1,
    links: [],
    linksDropped: 0,
    ...changes,
  };
}

/** An exporter that waits for nobody: what is recorded is sent at once. */
function startExporter(t: TestContext, url: string, env: Record<string, string> = {}) {
  const settings = readOtlpSettings(url, { OTEL_BSP_SCHEDULE_DELAY: "1", ...env });
  assert.ok(settings !== undefined);
  const seen = { exported: 0, dropped: new Map<string, number>() };
  const logs: { level: string; message: string; fields: LogFields }[] = [];
  const exporter = createOtlpExporter({
    settings,
    version: "1.2.3",
    clock: createSystemClock(),
    // Retries come at once.
    random: { next: () => 0, uuid: () => "" },
    telemetry: { log: (level, message, fields) => logs.push({ level, message, fields }) },
    counts: {
      exported: (spans) => {
        seen.exported += spans;
      },
      dropped: (reason, spans) => seen.dropped.set(reason, (seen.dropped.get(reason) ?? 0) + spans),
    },
  });
  t.after(() => exporter.close());
  return { exporter, seen, logs };
}

async function startCollector(t: TestContext) {
  const collector = await startOtlpCollector();
  t.after(() => collector.close());
  return collector;
}

test("a collector reads what was recorded", async (t) => {
  const collector = await startCollector(t);
  const env = {
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test%2C1",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x,x-tenant=a",
  };
  const { exporter, seen } = startExporter(t, collector.url, env);
  const link = { traceId: "b".repeat(32), spanId: "c".repeat(16), sampled: true, traceState: "v=1" };
  const failed: Span = {
    ...invocation(2, {
      problem: "Error",
      outcome: "functionError",
      parent: link,
      links: [link],
      linksDropped: 4,
    }),
  };
  const { outcome, attempt, links, linksDropped, ...base } = invocation(3, { problem: "ERR" });
  exporter.record(invocation(1));
  exporter.record(failed);
  exporter.record({ ...base, kind: "delivery", condition: "RecordAgeExceeded" });
  await exporter.close();
  assert.deepEqual(collector.faults, []);
  assert.deepEqual([outcome, attempt, links.length, linksDropped], ["succeeded", 1, 0, 0]);
  const [first, second, third] = collector.spans;
  assert.equal(first?.name, "process orders");
  assert.equal(first?.startNanos, 1_700_000_000_000_500_000n);
  assert.equal(first?.endNanos, 1_700_000_000_012_750_000n);
  assert.deepEqual(first?.attributes, {
    "millrace.mapping.name": "orders",
    "millrace.mapping.uuid": SUBJECT.mappingUuid,
    "millrace.source.arn": SUBJECT.eventSourceArn,
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
    "messaging.system": "aws_kinesis",
    "messaging.destination.name": "orders",
    "messaging.destination.partition.id": "shardId-1",
    "messaging.batch.message_count": 3n,
    "faas.invoked_name": "fn",
    "faas.invocation_id": "r",
    "aws.lambda.invoked_arn": SUBJECT.functionArn,
    "millrace.outcome": "succeeded",
    "millrace.attempt": 1n,
  });
  assert.deepEqual(first?.resource, { "service.name": "millrace", "deployment.environment": "test,1" });
  assert.equal(second?.error, "Error");
  assert.equal(second?.attributes["error.type"], "Error");
  assert.equal(second?.parentSpanId, "c".repeat(16));
  assert.deepEqual(second?.links, [{ traceId: "b".repeat(32), spanId: "c".repeat(16) }]);
  assert.equal(second?.droppedLinks, 4);
  assert.equal(third?.name, "send failure record");
  assert.equal(third?.attributes["messaging.system"], "aws_sqs");
  assert.equal(third?.attributes["millrace.condition"], "RecordAgeExceeded");
  const [request] = collector.requests;
  assert.equal(request?.path, "/v1/traces");
  assert.equal(request?.headers.authorization, "Bearer x");
  assert.equal(request?.headers["x-tenant"], "a");
  assert.equal(seen.exported, 3);
});

test("a collector reads a direct call of a function", async (t) => {
  const collector = await startCollector(t);
  const { exporter } = startExporter(t, collector.url);
  const { context, parent, startMs, durationMs, requestId } = invocation(1);
  const call: CallSpan = {
    ...{ kind: "call", context, parent, startMs, durationMs, requestId, problem: "timedOut" },
    ...{ callerKind: "api", functionName: "fn", functionArn: `${SUBJECT.functionArn}:live` },
    ...{ outcome: "timedOut", executedVersion: "2" },
  };
  exporter.record(call);
  await exporter.close();
  assert.deepEqual(collector.faults, []);
  const [span] = collector.spans;
  assert.deepEqual([span?.name, span?.error], ["invoke fn", "timedOut"]);
  assert.deepEqual(span?.attributes, {
    "faas.invoked_name": "fn",
    "faas.invocation_id": "r",
    "faas.version": "2",
    "aws.lambda.invoked_arn": `${SUBJECT.functionArn}:live`,
    "millrace.caller": "api",
    "millrace.outcome": "timedOut",
    "error.type": "timedOut",
  });
});

test("sends gzip when asked, in batches of the asked size", async (t) => {
  const collector = await startCollector(t);
  const { exporter, seen } = startExporter(t, collector.url, {
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
  });
  for (let span = 0; span < 35; span++) exporter.record(invocation(span));
  await exporter.close();
  assert.deepEqual(collector.faults, []);
  assert.equal(new Set(collector.spans.map(({ spanId }) => spanId)).size, 35);
  assert.equal(collector.requests.length, 4);
  assert.equal(collector.requests[0]?.headers["content-encoding"], "gzip");
  assert.equal(seen.exported, 35);
});

test("a collector that cannot be reached costs dropped spans, a count and one warning; then it is heard of again", async (t) => {
  const collector = await startOtlpCollector();
  const { exporter, seen, logs } = startExporter(t, collector.url, {
    OTEL_BSP_MAX_QUEUE_SIZE: "20",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
  });
  await collector.close();
  for (let span = 0; span < 100; span++) exporter.record(invocation(span));
  await until(
    () => (seen.dropped.get("unreachable") ?? 0) >= 10 && (seen.dropped.get("queue_full") ?? 0) >= 70,
    () => JSON.stringify([...seen.dropped]),
  );
  assert.deepEqual(
    logs.map(({ level, fields }) => [level, fields["reason"]]),
    [["warn", "ECONNREFUSED"]],
  );
  const port = Number(new URL(collector.url).port);
  const back = await startOtlpCollector(port);
  t.after(() => back.close());
  exporter.record(invocation(1000));
  await until(
    () => back.spans.some(({ spanId }) => spanId.endsWith((1001).toString(16))),
    () => JSON.stringify(logs),
  );
  await exporter.close();
  assert.deepEqual(
    logs.map(({ level }) => level),
    ["warn", "info"],
  );
  const dropped = [...seen.dropped.values()].reduce((sum, spans) => sum + spans, 0);
  assert.equal(seen.exported + dropped, 101, "every span is counted once");
});

test("tries again what a collector has no room for, and not what it refuses", async (t) => {
  const collector = await startCollector(t);
  const { exporter, seen } = startExporter(t, collector.url);
  let answers = 0;
  collector.answer = (response) => {
    answers++;
    response.writeHead(answers === 1 ? 503 : answers === 2 ? 429 : 200).end();
  };
  exporter.record(invocation(1));
  await until(
    () => seen.exported === 1,
    () => `${answers} answers`,
  );
  assert.equal(answers, 3);
  collector.answer = (response) => response.writeHead(400).end("no");
  exporter.record(invocation(2));
  await until(
    () => seen.dropped.get("refused") === 1,
    () => "not refused",
  );
  assert.equal(collector.requests.length, 4);
});

test("counts the spans that a collector takes a part of", async (t) => {
  const collector = await startCollector(t);
  const { exporter, seen } = startExporter(t, collector.url);
  collector.answer = (response) =>
    response.end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"x"}}');
  for (let span = 0; span < 5; span++) exporter.record(invocation(span));
  await exporter.close();
  assert.deepEqual([seen.exported, seen.dropped.get("refused")], [3, 2]);
});

test("a collector that never answers does not hold up the end of the process", async (t) => {
  const collector = await startCollector(t);
  collector.answer = () => {};
  const { exporter, seen } = startExporter(t, collector.url);
  exporter.record(invocation(1));
  await exporter.close();
  exporter.record(invocation(2));
  assert.equal(seen.exported, 0);
  assert.deepEqual(
    [...seen.dropped],
    [
      ["unreachable", 1],
      ["queue_full", 1],
    ],
  );
});
