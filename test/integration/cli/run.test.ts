import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { httpFunction, MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const COMMON = ["--api", "127.0.0.1:0", "--checkpoint-interval-ms", "50"];
const ALL = Array.from({ length: 50 }, (_, index) => String(index)).sort();

test("runs a manifest, tells how it goes, drains on SIGTERM, and goes on where it was", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 50);
  const first = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  const api = await first.apiUrl();
  await until(
    () => seen.length >= 50,
    () => `the function saw ${seen.length} records: ${first.stderr}`,
  );
  await until(
    async () => (await fetch(`${api}/readyz`)).status === 200,
    () => "not ready",
  );
  const metrics = async () => (await fetch(`${api}/metrics`)).text();
  await until(
    async () => /^millrace_polled_events_total\{mapping="orders-stream"\} 50$/m.test(await metrics()),
    () => "the metrics do not show the records",
  );
  first.kill("SIGTERM");
  assert.deepEqual(await first.ended, { status: 0, signal: null });
  assert.deepEqual(seen.toSorted(), ALL);
  assert.deepEqual(
    first.logs().filter(({ level }) => level !== "info"),
    [],
  );
  assert.equal(first.stdout, "");

  const second = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  const secondApi = await second.apiUrl();
  await until(
    async () => {
      const { mappings } = JSON.parse(await (await fetch(`${secondApi}/millrace/v1/status`)).text());
      return mappings[0].caughtUp;
    },
    () => `not caught up: ${second.stderr}`,
  );
  second.kill("SIGINT");
  assert.deepEqual(await second.ended, { status: 0, signal: null });
  assert.equal(seen.length, 50, "settled records were invoked again");
});

test("with --until-caught-up it ends by itself, and a second time with nothing to do", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 50);
  const args = ["run", "-f", manifest, "--api", "off", "--until-caught-up"];
  for (let life = 0; life < 2; life++) {
    const run = new MillraceProcess(t, args, folder);
    assert.deepEqual(await run.ended, { status: 0, signal: null });
    assert.equal((await run.logged("stopping"))["reason"], "caught up");
    assert.deepEqual(seen.toSorted(), ALL);
  }
});

test("lets invocations that run at a SIGTERM end, and repeats nothing of them", async (t) => {
  const release: (() => void)[] = [];
  const { url, seen } = await httpFunction(t, (_event, response) => release.push(() => response.end()));
  const { folder, manifest } = orderFolder(t, url, 10);
  const first = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  await until(
    () => seen.length === 10,
    () => `the function saw ${seen.length} records: ${first.stderr}`,
  );
  first.kill("SIGTERM");
  await first.logged("stopping");
  for (const answer of release) answer();
  assert.deepEqual(await first.ended, { status: 0, signal: null });

  const second = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON, "--until-caught-up"], folder);
  assert.deepEqual(await second.ended, { status: 0, signal: null });
  assert.equal(seen.length, 10);
});

test("a drain that takes too long ends at its deadline, and what was in flight comes again", async (t) => {
  let hangs = true;
  const { url, seen } = await httpFunction(t, (_event, response) => void (hangs || response.end()));
  const { folder, manifest } = orderFolder(t, url, 1);
  const first = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON, "--drain-seconds", "0"], folder);
  await until(
    () => seen.length === 1,
    () => `the function was not invoked: ${first.stderr}`,
  );
  first.kill("SIGTERM");
  assert.deepEqual(await first.ended, { status: 0, signal: null });
  hangs = false;
  new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
  await until(
    () => seen.length === 2,
    () => "the record did not come again",
  );
});

test("can run twice in one process, and leaves nothing behind that listens for signals", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 5);
  const words = JSON.stringify(["run", "-f", manifest, "--api", "off", "--until-caught-up"]);
  const script = join(folder, "twice.mjs");
  writeFileSync(
    script,
    `import { endWith, main } from ${JSON.stringify(new URL("../../../src/main.ts", import.meta.url))};
const statuses = [await main(${words}), await main(${words})];
const listeners = ["SIGTERM", "SIGINT"].map((signal) => process.listenerCount(signal));
console.log(JSON.stringify({ statuses, listeners }));
endWith(0);`,
  );
  const run = new MillraceProcess(t, [], folder, { main: script });
  assert.deepEqual(await run.ended, { status: 0, signal: null });
  assert.deepEqual(JSON.parse(run.stdout), { statuses: [0, 0], listeners: [0, 0] });
  assert.equal(seen.length, 5);
});

for (const [signal, status] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  test(`a second ${signal} ends it at once with status ${status}`, async (t) => {
    const { url, seen } = await httpFunction(t, () => undefined);
    const { folder, manifest } = orderFolder(t, url, 1);
    const run = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder);
    await until(
      () => seen.length === 1,
      () => `the function was not invoked: ${run.stderr}`,
    );
    run.kill(signal);
    await run.logged("stopping");
    run.kill(signal);
    assert.deepEqual(await run.ended, { status, signal: null });
  });
}

test("what nobody handled is logged and ends the process with status 1", async (t) => {
  const { url } = await httpFunction(t, (_event, response) => response.end());
  const { folder, manifest } = orderFolder(t, url, 1);
  const script = 'process.on("SIGUSR2", () => Promise.reject(new Error("left alone")))';
  const preload = `data:text/javascript,${encodeURIComponent(script)}`;
  const run = new MillraceProcess(t, ["run", "-f", manifest, ...COMMON], folder, {
    nodeFlags: ["--import", preload],
  });
  await run.logged("started");
  run.kill("SIGUSR2");
  assert.deepEqual(await run.ended, { status: 1, signal: null });
  const last = run.logs().at(-1);
  assert.deepEqual(
    [last?.level, last?.message, last?.["error"]],
    ["error", "ending on an error that nothing handled", "left alone"],
  );
});

test("a start that cannot succeed names everything that is in its way, and ends", async (t) => {
  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 1);
  writeFileSync(join(folder, "broken.mjs"), "export const handler = ;");
  writeFileSync(join(folder, "file"), "");
  writeFileSync(
    join(folder, "more.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: broken }
spec: { module: { path: broken.mjs } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: nowhere }
spec:
  functionName: broken
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/nowhere
  startingPosition: LATEST
  endpoints: { LOCAL_FILE: [nowhere.db] }
`,
  );
  const args = ["run", "-f", folder, ...COMMON, "--store", `sqlite:${join(folder, "file", "progress.db")}`];
  const run = new MillraceProcess(t, args, folder);
  const { status } = await run.ended;
  assert.equal(status, 1);
  assert.match(run.stderr, new RegExp(`^millrace: .*${join(folder, "file")}`, "m"));
  assert.match(run.stderr, /^Function broken: .*broken\.mjs/m);
  assert.match(run.stderr, /^EventSourceMapping nowhere: There is no local stream file at .*nowhere\.db\./m);
  assert.doesNotMatch(run.stderr, /^\s+at /m);
  assert(manifest.startsWith(folder));
});

test("a port that is taken ends the start with status 2", async (t) => {
  const { folder, manifest } = orderFolder(t, "http://127.0.0.1:9/", 1);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const run = new MillraceProcess(t, ["run", "-f", manifest, "--api", `127.0.0.1:${port}`], folder);
  assert.equal((await run.ended).status, 2);
  assert.match(run.stderr, /another process listens there\. Give another address with --api/);
});

test("a manifest that is not valid ends with status 2, before anything is opened", async (t) => {
  const { folder, manifest } = orderFolder(t, "ftp://x/", 1);
  const run = new MillraceProcess(t, ["run", "-f", manifest], folder);
  assert.equal((await run.ended).status, 2);
  assert.match(
    run.stderr,
    /orders\.yaml:4:22: Function orders, spec\.http\.url: Functions are not called over ftp\./,
  );
  assert.match(run.stderr, /\n1 problem\.\n$/);
});
