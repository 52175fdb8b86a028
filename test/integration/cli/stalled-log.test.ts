import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { httpFunction, MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const RECORDS = 600;
const COMMON = ["--api", "127.0.0.1:0", "--log-level", "debug"];

async function figure(api: string, name: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, "m").exec(text)?.[1] ?? -1);
}

/** A function that prints far more than a pipe and a bound of a mebibyte hold. */
function chattyFolder(t: TestContext): string {
  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", RECORDS);
  writeFileSync(
    join(folder, "chatty.mjs"),
    `const line = "x".repeat(1000);
export async function handler(event) {
  for (const record of event.Records) for (let n = 0; n < 5; n++) console.log(record.eventID, line);
}
`,
  );
  writeFileSync(
    join(folder, "chatty.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: chatty }
spec: { module: { path: chatty.mjs, isolation: thread } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: chatty-stream }
spec:
  functionName: chatty
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  startingPosition: TRIM_HORIZON
  batchSize: 10
  endpoints: { LOCAL_FILE: [orders.db] }
`,
  );
  assert(manifest.startsWith(folder));
  return folder;
}

test("a reader of the log that stands still stops nothing: what it does not read is dropped and counted", async (t) => {
  const folder = chattyFolder(t);
  const run = new MillraceProcess(t, ["run", "-f", "chatty.yaml", ...COMMON], folder);
  const api = await run.apiUrlOf();
  run.standStill();
  await until(
    async () =>
      (await figure(api, "millrace_checkpoint_lag_records")) === 0 &&
      (await figure(api, "millrace_invoked_events_total")) === RECORDS,
    () => "the records are not processed while nobody reads the log",
  );
  await until(
    async () => (await figure(api, "millrace_log_lines_dropped_total")) > 0,
    () => "no line was dropped",
  );
  assert.equal((await fetch(`${api}/healthz`)).status, 200);
  run.kill("SIGTERM");
  run.readOn();
  assert.deepEqual(await run.ended, { status: 0, signal: null });
  assert.match(run.stderr, /"lines":\d+,"message":"lines of the log and of functions were dropped/);
});

test("with a reader that never reads again it still ends on SIGTERM, with status 0", async (t) => {
  const folder = chattyFolder(t);
  const run = new MillraceProcess(t, ["run", "-f", "chatty.yaml", ...COMMON], folder);
  const api = await run.apiUrlOf();
  run.standStill();
  await until(
    async () => (await figure(api, "millrace_log_lines_dropped_total")) > 0,
    () => "no line was dropped",
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.exited, { status: 0, signal: null });
});

test("several processes go on while nobody reads the log of all", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, RECORDS);
  const chatty = chattyFolder(t);
  const store = ["--store", `sqlite:${join(chatty, "group.db")}`];
  assert(manifest !== "" && folder !== "");
  const run = new MillraceProcess(
    t,
    ["run", "-f", manifest, "-f", join(chatty, "chatty.yaml"), ...COMMON, ...store, "--processes", "2"],
    chatty,
  );
  const api = await run.apiUrlOf();
  run.standStill();
  await until(
    () => seen.length >= RECORDS,
    () => `${seen.length} of ${RECORDS} records while nobody reads the log`,
  );
  assert.equal((await fetch(`${api}/healthz`)).status, 200);
  run.kill("SIGTERM");
  assert.equal((await run.exited).signal, null);
});
