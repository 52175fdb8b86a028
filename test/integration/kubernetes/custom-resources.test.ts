import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { ApiServerTwin, TOKEN } from "../../contract/kubernetes/api-server-twin.ts";
import { httpFunction, MillraceProcess, until } from "../cli/millrace-process.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** An API server, a stream of one shard and a function that takes what it is given. */
async function openCluster(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-cluster-"));
  const file = openStreamFile(join(folder, "streams.db"));
  const stream = file.createStream({ name: "orders", shards: 1 });
  const twin = new ApiServerTwin();
  await twin.start();
  const answer = { fails: false };
  const { url, seen } = await httpFunction(t, (_event, response) => {
    response.statusCode = answer.fails ? 500 : 200;
    response.end(answer.fails ? '{"errorType":"TypeError","errorMessage":"no price"}' : "");
  });
  t.after(async () => {
    await twin.close();
    file.close();
    rmSync(folder, { recursive: true });
  });
  const run = (args: readonly string[] = []) =>
    new MillraceProcess(
      t,
      [
        ...["run", "--kubernetes", "--kubeconfig", twin.kubeconfig, "--api", "127.0.0.1:0"],
        ...["--store", `sqlite:${join(folder, "store.db")}`, "--checkpoint-interval-ms", "50", ...args],
      ],
      folder,
    );
  const mapping = (more: object = {}) => ({
    functionName: "orders",
    eventSourceArn: "arn:aws:local:eu-west-1:000000000000:stream/orders",
    endpoints: { LOCAL_FILE: [join(folder, "streams.db")] },
    startingPosition: "TRIM_HORIZON",
    batchSize: 1,
    ...more,
  });
  return { twin, run, mapping, stream, seen, url, answer };
}

function conditionOf(twin: ApiServerTwin, kind: string, name: string, type: string): Condition | undefined {
  const status = twin.get(kind, name)?.status as { conditions?: readonly Condition[] } | undefined;
  return status?.conditions?.find((each) => each.type === type);
}

async function becomes(
  twin: ApiServerTwin,
  [kind, name, type]: readonly [kind: string, name: string, type: string],
  expected: string,
  run: MillraceProcess,
): Promise<Condition> {
  const told = () => conditionOf(twin, kind, name, type);
  const text = () => `${told()?.status} ${told()?.reason}`;
  await until(
    () => text() === expected,
    () => `${kind} ${name} is ${JSON.stringify(twin.get(kind, name)?.status)}: ${run.stderr}`,
  );
  return told() as Condition;
}

test("custom resources run, say how they stand, and are drained before they go", async (t) => {
  const { twin, run: start, mapping, stream, seen, url, answer } = await openCluster(t);
  const run: MillraceProcess = start();
  await run.logged("started");
  twin.apply("Function", "orders", { http: { url } });
  twin.apply("EventSourceMapping", "orders-stream", mapping());
  stream.append([{ partitionKey: "a", data: "1" }]);
  await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "True Running", run);
  await until(
    () => seen.length === 1,
    () => `${seen.length} were seen: ${run.stderr}`,
  );
  await becomes(twin, ["Function", "orders", "Ready"], "True Running", run);
  const status = twin.get("EventSourceMapping", "orders-stream")?.status as Readonly<Record<string, unknown>>;
  assert.equal(status["state"], "Enabled");
  assert.equal(status["observedGeneration"], 1);

  answer.fails = true;
  stream.append([{ partitionKey: "a", data: "2" }]);
  const fails = await becomes(
    twin,
    ["EventSourceMapping", "orders-stream", "Ready"],
    "False FunctionFails",
    run,
  );
  assert.match(fails.message, /TypeError/);
  answer.fails = false;
  await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "True Running", run);

  twin.delete("Function", "orders");
  await becomes(twin, ["Function", "orders", "Ready"], "False InUse", run);
  twin.delete("EventSourceMapping", "orders-stream");
  await until(
    () =>
      twin.get("EventSourceMapping", "orders-stream") === undefined &&
      twin.get("Function", "orders") === undefined,
    () => `not deleted: ${run.stderr}`,
  );
  const count = seen.length;
  stream.append([{ partitionKey: "a", data: "3" }]);
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
  assert.equal(seen.length, count, "nothing is delivered of what was deleted");
  assert.ok(!run.stderr.includes(TOKEN) && !run.stdout.includes(TOKEN), "the token is told to nobody");
});

test("one that is wrong is refused with its field and remedy, what was accepted of it goes on, and so do others", async (t) => {
  const { twin, run: start, mapping, stream, seen, url } = await openCluster(t);
  twin.apply("Function", "orders", { http: { url } });
  twin.apply("EventSourceMapping", "orders-stream", mapping());
  twin.apply("EventSourceMapping", "nobody", { ...mapping(), functionName: "nobody" });
  twin.apply("Rule", "broken", { eventPattern: '{"source":', targets: [{ id: "a", arn: "orders" }] });
  const run: MillraceProcess = start();
  await run.logged("started");
  await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "True Running", run);
  const absent = await becomes(twin, ["EventSourceMapping", "nobody", "Accepted"], "False Invalid", run);
  assert.match(
    absent.message,
    /spec\.functionName: Function does not exist\. .*Add a manifest of kind Function/,
  );
  const broken = await becomes(twin, ["Rule", "broken", "Ready"], "False Invalid", run);
  assert.match(broken.message, /Nothing of it runs\./);

  twin.apply(
    "EventSourceMapping",
    "orders-stream",
    mapping({ batchSize: 1, maximumBatchingWindowInSeconds: 301 }),
  );
  const refused = await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "False Invalid", run);
  assert.match(
    refused.message,
    /maximumBatchingWindowInSeconds: .*\nWhat was accepted before stays in force\./,
  );
  stream.append([{ partitionKey: "a", data: "1" }]);
  await until(
    () => seen.length === 1,
    () => `${seen.length} were seen: ${run.stderr}`,
  );
  run.kill("SIGKILL");
  await run.ended;

  // A process that starts anew has the last accepted form from the store alone.
  const again: MillraceProcess = start();
  await again.logged("started");
  stream.append([{ partitionKey: "a", data: "2" }]);
  await until(
    () => seen.length >= 2,
    () => `${seen.length} were seen: ${again.stderr}`,
  );
  twin.apply("EventSourceMapping", "orders-stream", mapping());
  await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "True Running", again);
});

test("while the API server is away all goes on, also in a process that starts then; what changed meanwhile is taken later", async (t) => {
  const { twin, run: start, mapping, stream, seen, url } = await openCluster(t);
  twin.apply("Function", "orders", { http: { url } });
  twin.apply("EventSourceMapping", "orders-stream", mapping());
  const first: MillraceProcess = start();
  await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "True Running", first);
  await twin.stop();
  await first.logged("custom resources cannot be watched; what was known of them stays in force");
  first.kill("SIGTERM");
  await first.ended;

  const run: MillraceProcess = start();
  await run.logged("started");
  stream.append([{ partitionKey: "a", data: "1" }]);
  await until(
    () => seen.length === 1,
    () => `${seen.length} were seen: ${run.stderr}`,
  );
  twin.apply("EventSourceMapping", "orders-stream", mapping({ enabled: false }));
  twin.apply("Function", "idle", { http: { url } });
  await twin.start();
  await becomes(twin, ["EventSourceMapping", "orders-stream", "Ready"], "False Disabled", run);
  await becomes(twin, ["Function", "idle", "Ready"], "True Running", run);

  twin.compact();
  twin.apply("Function", "late", { http: { url } });
  await becomes(twin, ["Function", "late", "Ready"], "True Running", run);
});
