import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import { awsEnvironment, useAwsEnvironment } from "./aws-environment.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue } from "./plain-queue.ts";

const [store, queues] = await Promise.all([startDynamodbLocal(), startElasticmq()]);
const ENDPOINTS = {
  AWS_ENDPOINT_URL_DYNAMODB: store.endpoint,
  AWS_ENDPOINT_URL_SQS: queues.endpoint,
};
useAwsEnvironment(ENDPOINTS);
after(() => Promise.all([store.close(), queues.close()]));
/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 180_000 };

interface Fn {
  readonly url: string;
  readonly seen: number[];
  isAway: boolean;
}

/** A function behind HTTP that may be away, and fails for whom it is told to. */
async function startFunction(t: TestContext): Promise<Fn> {
  const fn = { url: "", seen: [] as number[], isAway: false };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { number, fails } = JSON.parse(Buffer.concat(parts).toString());
      if (!fn.isAway) fn.seen.push(number);
      if (fails === true) response.setHeader("X-Amz-Function-Error", "Unhandled");
      response.statusCode = fn.isAway ? 503 : 200;
      response.end(fails === true ? '{"errorMessage":"asked to"}' : "{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  fn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return fn;
}

function makeFolder(t: TestContext, url: string, lost: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-sqs-events-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, "orders.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  http: { url: "${url}" }
  timeoutSeconds: 3
  eventInvokeConfig:
    maximumRetryAttempts: 0
    destinationConfig: { onFailure: { destination: "${lost}" } }
`,
  );
  return folder;
}

async function invoke(api: string, payload: object): Promise<Response> {
  return await fetch(new URL("/2015-03-31/functions/orders/invocations", api), {
    method: "POST",
    headers: { "X-Amz-Invocation-Type": "Event" },
    body: JSON.stringify(payload),
  });
}

const COMMON = ["run", "-f", "orders.yaml", "--store", "dynamodb:millrace-events", "--api", "127.0.0.1:0"];

test(
  "with DynamoDB as the store events are kept in SQS, also those of a process that is killed",
  HANG,
  async (t) => {
    await using events = await createPlainQueue("standard");
    await using lost = await createPlainQueue("standard");
    const fn = await startFunction(t);
    const folder = makeFolder(t, fn.url, lost.arn);
    const words = [...COMMON, "--async-queue", events.arn];
    const start = () => new MillraceProcess(t, words, folder, { env: awsEnvironment(ENDPOINTS) });
    const first = start();
    assert.equal((await invoke(await first.apiUrl(), { number: 0, fails: true })).status, 202);
    const records: string[] = [];
    await until(
      async () => {
        records.push(...(await lost.receive()).map(({ Body = "" }) => Body));
        return records.length > 0;
      },
      () => `no record came: ${first.stderr}`,
    );
    assert.match(records.join(), /"condition":"RetriesExhausted"/);

    fn.isAway = true;
    const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
    const api = await first.apiUrl();
    const answers = await Promise.all(numbers.map((number) => invoke(api, { number })));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
    first.kill("SIGKILL");
    await first.ended;
    fn.isAway = false;
    const second = start();
    await until(
      () => numbers.every((number) => fn.seen.includes(number)),
      () => `${new Set(fn.seen).size} of ${numbers.length} came: ${second.stderr}`,
      150_000,
    );
    second.kill("SIGTERM");
    assert.deepEqual(await second.ended, { status: 0, signal: null }, second.stderr);
  },
);

test("without a queue of SQS DynamoDB keeps no events, and the answer names the flag", HANG, async (t) => {
  const fn = await startFunction(t);
  const folder = makeFolder(t, fn.url, "arn:aws:sqs:eu-west-1:000000000000:none");
  const run = new MillraceProcess(t, COMMON, folder, { env: awsEnvironment(ENDPOINTS) });
  const answer = await invoke(await run.apiUrl(), { number: 1 });
  assert.equal(answer.status, 501);
  assert.match(await answer.text(), /keeps no asynchronous events\. Run millrace with --async-queue/);
  assert.match(run.stderr, /schedules have no ticks; give --async-queue/);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
});
