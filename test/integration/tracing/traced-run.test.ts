import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { ACCOUNT, AwsEmulator, REGION } from "../../servers/aws-emulator.ts";
import { type OtlpCollector, startOtlpCollector } from "../../servers/otlp-collector.ts";
import { MillraceProcess, until } from "../cli/millrace-process.ts";
import { writeQueueManifest } from "../queue-run.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

const TRACE = "5759e988bd862e3fe1be46a994272793";
const XRAY = `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=53995c3f42cd8ad8;Sampled=1`;

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly bodies: readonly string[];
}

/** A function behind HTTP that shows its request headers; it fails on messages that say so. */
async function startFunction(t: TestContext): Promise<{ readonly url: string; readonly calls: Call[] }> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      const { Records } = JSON.parse(text) as { Records: { body: string }[] };
      const bodies = Records.map(({ body }) => body);
      const isFirst = !calls.some((call) => call.bodies.includes(bodies[0] ?? ""));
      calls.push({ headers: request.headers, bodies });
      if (isFirst && bodies.some((body) => body.startsWith("fail"))) {
        response
          .setHeader("x-amz-function-error", "Unhandled")
          .end('{"errorType":"Boom","errorMessage":"no"}');
      } else response.end("null");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, calls };
}

async function startCollector(t: TestContext): Promise<OtlpCollector> {
  const collector = await startOtlpCollector();
  t.after(() => collector.close());
  return collector;
}

function startRun(
  t: TestContext,
  { url }: { readonly url: string },
  eventSourceArn: string,
  flags: readonly string[],
  settings: readonly string[] = [],
): MillraceProcess {
  const functionSpec = `http: { url: "${url}" }`;
  const wanted = { eventSourceArn, functionSpec, timeoutSeconds: 2, settings };
  const { folder, manifest } = writeQueueManifest(t, wanted);
  return new MillraceProcess(t, ["run", "-f", manifest, "--api", "127.0.0.1:0", ...flags], folder);
}

async function startTracedQueue(t: TestContext, flags: readonly string[]) {
  const queueName = emulator.freshName();
  await emulator.createQueue(queueName, { VisibilityTimeout: "2" });
  const fn = await startFunction(t);
  const run = startRun(t, fn, `arn:aws:sqs:${REGION}:${ACCOUNT}:${queueName}`, flags);
  return { queueName, fn, run };
}

/** The emulator forgets system attributes; a local queue keeps the one that matters here. ElasticMQ's keep it too. */
test("a message's AWSTraceHeader goes on into the function and the collector, through a failure and its retry", async (t) => {
  const collector = await startCollector(t);
  const path = join(mkdtempSync(join(tmpdir(), "millrace-traced-")), "queues.db");
  const file = openStreamFile(path);
  const queue = file.createQueue({ name: "jobs", visibilityMs: 2000 });
  t.after(() => {
    file.close();
    rmSync(dirname(path), { recursive: true });
  });
  const fn = await startFunction(t);
  const run = startRun(
    t,
    fn,
    "arn:aws:local:eu-west-1:000000000000:queue/jobs",
    ["--otlp", collector.url],
    [`endpoints: { LOCAL_FILE: ["${path}"] }`],
  );
  queue.send([{ body: "fail once", traceHeader: XRAY }]);
  await until(
    () => fn.calls.length === 2,
    () => run.stderr,
  );
  const metrics = await (await fetch(`${await run.apiUrl()}/metrics`)).text();
  assert.match(metrics, /^millrace_spans_dropped_total\{reason="unreachable"\} 0$/m);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.deepEqual(collector.faults, []);
  assert.deepEqual(
    collector.spans.map(({ traceId, parentSpanId, error }) => [traceId, parentSpanId, error]),
    [
      [TRACE, "53995c3f42cd8ad8", "Boom"],
      [TRACE, "53995c3f42cd8ad8", undefined],
    ],
  );
  for (const [index, { headers }] of fn.calls.entries()) {
    const span = collector.spans[index];
    const xray = `Root=1-${TRACE.slice(0, 8)}-${TRACE.slice(8)};Parent=${span?.spanId};Sampled=1`;
    assert.equal(headers["traceparent"], `00-${TRACE}-${span?.spanId}-01`);
    for (const name of ["x-amzn-trace-id", "lambda-runtime-trace-id"])
      assert.equal(headers[name]?.toString().replace(/;Lineage=[0-9a-f]{8}:1$/, ""), xray);
    assert.equal(span?.attributes["faas.invocation_id"], headers["lambda-runtime-aws-request-id"]);
    assert.equal(span?.attributes["messaging.destination.name"], "jobs");
  }
  const line = run.logs().find(({ reason }) => reason === "Boom");
  assert.equal(line?.["traceId"], TRACE);
  assert.equal(line?.["requestId"], fn.calls[0]?.headers["lambda-runtime-aws-request-id"]);
});

test("message attributes of W3C's names are read, and their tracestate goes to the function", async (t) => {
  const collector = await startCollector(t);
  const { queueName, fn, run } = await startTracedQueue(t, ["--otlp", collector.url]);
  await emulator.sendTraced(queueName, "plain", {
    traceparent: `00-${TRACE}-53995c3f42cd8ad8-01`,
    tracestate: "vendor=x",
  });
  await until(
    () => fn.calls.length === 1,
    () => run.stderr,
  );
  run.kill("SIGTERM");
  await run.ended;
  assert.equal(fn.calls[0]?.headers["tracestate"], "vendor=x");
  assert.equal(collector.spans[0]?.parentSpanId, "53995c3f42cd8ad8");
  assert.equal(collector.spans[0]?.traceState, "vendor=x");
});

test("with nobody to send spans to, headers are Lambda's own and nothing goes on from a message", async (t) => {
  const { queueName, fn, run } = await startTracedQueue(t, []);
  await emulator.send(queueName, ["plain"]);
  await until(
    () => fn.calls.length === 1,
    () => run.stderr,
  );
  const [call] = fn.calls;
  assert.match(
    String(call?.headers["lambda-runtime-trace-id"]),
    /^Root=1-.*;Sampled=0;Lineage=[0-9a-f]{8}:1$/,
  );
  assert.equal(call?.headers["x-amzn-trace-id"], undefined);
});

test("does not start on an address that is no collector's", async (t) => {
  const { run } = await startTracedQueue(t, ["--otlp", "collector:4318"]);
  assert.deepEqual((await run.ended).status, 2);
  assert.match(run.stderr, /--otlp must begin with http:\/\/ or https:\/\//);
});
