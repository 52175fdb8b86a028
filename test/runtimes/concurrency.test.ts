import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { zipOf } from "../fixtures/zip.ts";
import { ROLE, startFunctionRun } from "../integration/api/function-run.ts";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";

const HANG = { timeout: 600_000 };
const RESERVED = 50;
const MESSAGES = 2 * RESERVED + 10;
const PROVISIONED = 10;
const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "python3 is not on the PATH";

/** Notes who comes and who goes, and is slow: nobody goes before fifty are there. */
const SLOW = `
import os, time

def handler(event, context):
    place = os.environ["PLACE"]
    note("in")
    until = time.monotonic() + 60
    while not os.path.exists(os.path.join(place, "open")) and time.monotonic() < until:
        time.sleep(0.1)
    note("out")

def note(word):
    # One write each, so that lines of many processes stand in their order.
    with open(os.path.join(os.environ["PLACE"], "notes"), "a") as notes:
        notes.write("%s %d\\n" % (word, os.getpid()))
`;

test(`a mapping of a slow function with reservedConcurrency ${RESERVED} has ${RESERVED} environments, never one more`, {
  ...HANG,
  skip,
}, async (t) => {
  const { folder, queue } = startQueue(t);
  queue.send(Array.from({ length: MESSAGES }, (_, index) => ({ body: String(index) })));
  mkdirSync(join(folder, "code"));
  writeFileSync(join(folder, "code/app.py"), SLOW);
  const place = join(folder, "place");
  mkdirSync(place);
  writeFileSync(join(place, "notes"), "");
  writeFileSync(join(folder, "millrace.yaml"), manifestOf(folder, place));
  const run = new MillraceProcess(t, ["run", "-f", "millrace.yaml", "--store", "memory:"], folder);
  const notes = () => readFileSync(join(place, "notes"), "utf8").trim().split("\n");
  await until(
    () => notes().length >= RESERVED,
    () => `${notes().length} calls have begun: ${run.stderr}`,
  );
  writeFileSync(join(place, "open"), "");
  await until(
    () => notes().filter((line) => line.startsWith("out ")).length === MESSAGES,
    () => `${notes().length} notes: ${run.stderr}`,
  );
  let [now, most] = [0, 0];
  for (const line of notes()) {
    now += line.startsWith("in ") ? 1 : -1;
    most = Math.max(most, now);
  }
  assert.equal(most, RESERVED);
  assert.equal(new Set(notes().map((line) => line.split(" ")[1])).size, RESERVED);
  run.kill("SIGTERM");
  await run.ended;
});

test(`with ${PROVISIONED} provisioned, none of ${PROVISIONED} calls at once waits for a start`, {
  ...HANG,
  skip,
}, async (t) => {
  const run = await startFunctionRun(t);
  const code = `
import os, time
born = time.time()

def handler(event, context):
    time.sleep(1)
    return {"pid": os.getpid(), "born": born, "kind": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
`;
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({ region: "eu-west-1", endpoint: run.url, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const answer = await fetch(`${run.url}${path}`, { method, ...init });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${text}`);
    return JSON.parse(text);
  };
  await ask("POST", "/2015-03-31/functions", {
    FunctionName: "snake",
    Runtime: "python3.13",
    Handler: "app.handler",
    Role: ROLE,
    Timeout: 30,
    Publish: true,
    Code: { ZipFile: zipOf([{ name: "app.py", content: code }]).toString("base64") },
  });
  const provisioned = "/2019-09-30/functions/snake/provisioned-concurrency?Qualifier=1";
  await ask("PUT", provisioned, { ProvisionedConcurrentExecutions: PROVISIONED });
  await run.until(
    "provisioned concurrency",
    async () => (await ask("GET", provisioned))["Status"] === "READY",
  );
  const readyS = Date.now() / 1_000;
  const calls = Array.from({ length: PROVISIONED }, () =>
    client.send(new InvokeCommand({ FunctionName: "snake", Qualifier: "1", Payload: "{}" })),
  );
  const answers = (await Promise.all(calls)).map(({ Payload }) =>
    JSON.parse(Payload?.transformToString() ?? "null"),
  );
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, PROVISIONED);
  for (const { born } of answers) assert.ok(born < readyS, `one was started for its call: ${born}`);
});

function startQueue(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-concurrency-"));
  const file = openStreamFile(join(folder, "queues.db"));
  const queue = file.createQueue({ name: "jobs", visibilityMs: 300_000 });
  t.after(() => {
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, queue };
}

function manifestOf(folder: string, place: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: slow }
spec:
  runtime: python3.13
  handler: app.handler
  code: ./code
  timeoutSeconds: 120
  reservedConcurrency: ${RESERVED}
  environment: { PLACE: "${place}" }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: jobs }
spec:
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:queue/jobs
  functionName: slow
  batchSize: 1
  endpoints: { LOCAL_FILE: ["${join(folder, "queues.db")}"] }
  scalingConfig: { maximumConcurrency: 100 }
`;
}
