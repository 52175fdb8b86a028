import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { ACCOUNT, AwsEmulator, REGION } from "../servers/aws-emulator.ts";
import { MillraceProcess, until } from "./cli/millrace-process.ts";
import { failuresOf, startQueueFunction, writeQueueManifest } from "./queue-run.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

/** Starts millrace on the queue, with these lines in the mapping's spec. */
function startRun(
  t: TestContext,
  queueName: string,
  url: string,
  timeoutSeconds: number,
  settings: readonly string[] = [],
) {
  const eventSourceArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${queueName}`;
  const functionSpec = `http: { url: "${url}" }`;
  const { folder, manifest } = writeQueueManifest(t, {
    eventSourceArn,
    functionSpec,
    timeoutSeconds,
    settings,
  });
  return new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);
}

test("runs a queue's mapping: filtered and processed messages are deleted, listed ones come again", async (t) => {
  const queueName = emulator.freshName();
  await emulator.createQueue(queueName, { VisibilityTimeout: "2" });
  const bodies = Array.from({ length: 12 }, (_, number) => JSON.stringify({ number }));
  await emulator.send(queueName, [...bodies, "not for the function"]);
  const seen: string[] = [];
  const url = await startQueueFunction(t, (records) => {
    const failed = records.filter(({ body }) => body === '{"number":7}' && !seen.includes(body));
    seen.push(...records.map(({ body }) => body));
    return failuresOf(failed);
  });
  const settings = [
    "functionResponseTypes: [ReportBatchItemFailures]",
    `filterCriteria: { filters: [{ pattern: '{"body":{"number":[{"exists":true}]}}' }] }`,
  ];
  const run = startRun(t, queueName, url, 2, settings);
  const timesSeen = (wanted: string) => seen.filter((body) => body === wanted).length;
  await until(
    () => bodies.every((body) => timesSeen(body) >= (body === '{"number":7}' ? 2 : 1)),
    () => `the function saw ${seen.length} messages: ${run.stderr}`,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  assert.ok(!seen.includes("not for the function"));
  // What was not deleted would be seen again by now.
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  assert.deepEqual(await emulator.receive(queueName), []);
});

const UNSTARTED = "a mapping cannot be started until something is changed; looking again every few seconds";

test("does not start on a queue that hides messages for less time than the function may take", async (t) => {
  const queueName = emulator.freshName();
  await emulator.createQueue(queueName, { VisibilityTimeout: "30" });
  const run = startRun(t, queueName, "http://127.0.0.1:9/", 60);
  const { error } = await run.logged(UNSTARTED);
  run.kill("SIGTERM");
  assert.match(
    String(error),
    /Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds/,
  );
  await run.ended;
});

test("does not start on a queue that does not exist, with AWS's text", async (t) => {
  const run = startRun(t, emulator.freshName(), "http://127.0.0.1:9/", 3);
  const { error } = await run.logged(UNSTARTED);
  run.kill("SIGTERM");
  await run.ended;
  assert.match(String(error), /NonExistentQueue\. SQS Error Message: The specified queue does not exist\./);
});
