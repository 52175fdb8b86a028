import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DESTINATION_TOY } from "../../toys/destination-toy.ts";
import { QUEUE_TOY } from "../../toys/queue-toy.ts";
import { STREAM_TOY } from "../../toys/stream-toy.ts";
import { TARGET_TOY } from "../../toys/target-toy.ts";
import { createControlRun, type RunningControl, startControl } from "./control-run.ts";

const MODULES = ["stream-toy.ts", "queue-toy.ts", "destination-toy.ts", "target-toy.ts"]
  .map((name) => fileURLToPath(new URL(`../../toys/${name}`, import.meta.url)))
  .join(delimiter);
const MAPPINGS = "/2015-03-31/event-source-mappings";

/** Members that AWS's client does not know pass over no SDK. */
async function call(
  { url }: RunningControl,
  method: string,
  path = "",
  body?: object,
): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
  const response = await fetch(`${url}${MAPPINGS}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text), text };
}

/** Two processes on one store, with toys that only the operator knows. */
async function startToys(t: TestContext) {
  const run = await createControlRun(t);
  const [stream, queue, secrets] = ["meadow.jsonl", "slug.json", "secrets.json"].map((name) =>
    join(run.folder, name),
  ) as [string, string, string];
  writeFileSync(stream, "");
  writeFileSync(queue, JSON.stringify({ visibilityMs: 60_000, letters: [] }));
  writeFileSync(secrets, JSON.stringify({ [STREAM_TOY.secretArn]: STREAM_TOY.secretDocument }));
  const flags = [
    ...["--endpoint", `${STREAM_TOY.endpoint}=${stream}`, "--endpoint", `${QUEUE_TOY.endpoint}=${queue}`],
    ...["--checkpoint-interval-ms", "50"],
  ];
  const env = { MILLRACE_CONNECTORS: MODULES, MILLRACE_SECRETS_FILE: secrets };
  return {
    run,
    start: (...more: readonly string[]) => startControl(t, run.folder, [...flags, ...more], env),
    write: (data: string) =>
      appendFileSync(stream, `${JSON.stringify({ key: "k", data, ms: 1_790_000_000_000 })}\n`),
    send: (body: string) => {
      const box = JSON.parse(readFileSync(queue, "utf8"));
      const letters = [...box.letters, { id: body, body, receives: 0, hiddenMs: 0 }];
      writeFileSync(queue, JSON.stringify({ ...box, letters }));
    },
  };
}

const gets = (run: { readonly seen: readonly { readonly data: readonly string[] }[] }, text: string) =>
  run.seen.some(({ data }) => data.includes(text));

test("a toy stream is made, shown, changed, explained and refused by the API, as AWS does it with its own", async (t) => {
  const { run, start, write } = await startToys(t);
  const [first, second] = [await start(), await start()];
  write("before");
  const create = {
    FunctionName: "orders",
    EventSourceArn: STREAM_TOY.arn("a"),
    ...STREAM_TOY.members("red", 8, STREAM_TOY.secretArn),
  };
  const refused = await call(first, "POST", "", { ...create, [STREAM_TOY.blinkMember]: 3 });
  assert.deepEqual(
    [refused.status, refused.body["Message"] ?? refused.body["message"]],
    [400, STREAM_TOY.tooFast],
  );
  const named = await call(first, "POST", "", { ...create, ...STREAM_TOY.members("red", 8, "env:HOME") });
  assert.equal(named.status, 400, "callers name secrets by ARNs");
  const made = await call(first, "POST", "", create);
  assert.equal(made.status, 202, made.text);
  const uuid = String(made.body["UUID"]);
  await run.until("what came before the mapping", () => gets(run, "before"));
  await first.settled(uuid, "Enabled");
  // The other process knows it by the store, and the claim with it.
  const shown = await call(second, "GET", `/${uuid}`);
  const own = STREAM_TOY.members("red", 8, STREAM_TOY.secretArn);
  for (const [member, value] of Object.entries(own)) assert.equal(shown.body[member], value);
  assert.equal(shown.body["StartingPosition"], "TRIM_HORIZON");
  assert.equal("TumblingWindowInSeconds" in shown.body, false);
  const rival = await call(second, "POST", "", { ...create, FunctionName: "other" });
  assert.deepEqual(
    [rival.status, rival.body["Message"] ?? rival.body["message"]],
    [409, STREAM_TOY.taken("red")],
  );

  const updated = await call(second, "PUT", `/${uuid}`, {
    ...STREAM_TOY.members("blue", 9, STREAM_TOY.secretArn),
  });
  assert.equal(updated.status, 202, updated.text);
  await first.settled(uuid, "Enabled");
  write("after");
  await run.until("what came after the update", () => gets(run, "after"));
  const listed = await call(first, "GET");
  const [only] = listed.body["EventSourceMappings"] as Record<string, unknown>[];
  assert.equal(only?.[STREAM_TOY.blinkMember], 9);
  assert.equal(only?.["UUID"], uuid);
  const lantern = Object.keys(own)[0] ?? "";
  assert.equal(only?.[lantern], "red", "what cannot be changed stays as it is");
  const told = [first, second].flatMap(({ process }) => [process.stdout, process.stderr]);
  for (const text of [...told, made.text, shown.text, listed.text])
    assert.ok(!text.includes(STREAM_TOY.passphrase), "the secret is shown nowhere");
});

test("toys of a manifest run, and explain says how they are", async (t) => {
  const { run, start, write, send } = await startToys(t);
  const heard = join(run.folder, "heard.txt");
  const fn = { apiVersion: "millrace.dev/v1", kind: "Function", metadata: { name: "toy" } };
  const mapping = (name: string, arn: string, fields: object) =>
    JSON.stringify({
      apiVersion: "millrace.dev/v1",
      kind: "EventSourceMapping",
      metadata: { name },
      spec: { functionName: "orders", eventSourceArn: arn, ...fields },
    });
  const [meadow, slug] = ["meadow.jsonl", "slug.json"].map((file) => join(run.folder, file));
  writeFileSync(join(run.folder, "word.json"), JSON.stringify(STREAM_TOY.secretDocument));
  const documents = [
    JSON.stringify({ ...fn, spec: TARGET_TOY.fields(heard) }),
    mapping("toy-stream", STREAM_TOY.arn("a"), {
      ...STREAM_TOY.fields("red", 9, "file:word.json"),
      endpoints: { [STREAM_TOY.endpoint]: [meadow] },
      batchSize: 1,
      maximumRetryAttempts: 0,
      destinationConfig: { onFailure: { destination: DESTINATION_TOY.uri("lost.jsonl") } },
    }),
    mapping("toy-queue", QUEUE_TOY.arn("a"), {
      ...QUEUE_TOY.fields("blue"),
      functionName: "toy",
      endpoints: { [QUEUE_TOY.endpoint]: [slug] },
    }),
  ];
  writeFileSync(join(run.folder, "toys.yaml"), documents.join("\n---\n"));
  const control = await start("-f", "toys.yaml");
  write("record");
  send("letter");
  await run.until("what the toys brought", () => gets(run, "record"));
  await run.until(
    "what the toy function heard",
    () => existsSync(heard) && readFileSync(heard, "utf8").includes("letter"),
  );
  write("poison");
  await run.until("the record that was given up", () => {
    const lost = join(run.folder, "lost.jsonl");
    return existsSync(lost) && readFileSync(lost, "utf8").includes("RetryAttemptsExhausted");
  });
  const [queue, stream] = (await control.list())
    .toSorted((a, b) => String(a.EventSourceArn).localeCompare(String(b.EventSourceArn)))
    .toReversed();
  assert.equal(stream?.EventSourceArn, STREAM_TOY.arn("a"));
  assert.equal(queue?.EventSourceArn, QUEUE_TOY.arn("a"));
  for (const [mappingArn, uuid] of [
    [STREAM_TOY.arn("a"), stream?.UUID],
    [QUEUE_TOY.arn("a"), queue?.UUID],
  ] as const) {
    const answer = await fetch(`${control.url}/millrace/v1/mappings/${uuid}/explain`);
    assert.ok((await answer.text()).includes(mappingArn));
  }
});

test("a toy queue is made and refused by the API, its claim over both processes", async (t) => {
  const { run, start, send } = await startToys(t);
  const [first, second] = [await start(), await start()];
  const create = {
    FunctionName: "orders",
    EventSourceArn: QUEUE_TOY.arn("a"),
    ...QUEUE_TOY.members("red"),
  };
  const { EventSourceArn, FunctionName } = create;
  const bare = await call(first, "POST", "", { EventSourceArn, FunctionName });
  assert.deepEqual([bare.status, bare.body["Message"] ?? bare.body["message"]], [400, QUEUE_TOY.unstamped]);
  const made = await call(first, "POST", "", create);
  assert.equal(made.status, 202, made.text);
  send("letter");
  await run.until("the letter", () => gets(run, "letter"));
  const rival = await call(second, "POST", "", { ...create, EventSourceArn: QUEUE_TOY.arn("b") });
  assert.deepEqual(
    [rival.status, rival.body["Message"] ?? rival.body["message"]],
    [409, QUEUE_TOY.taken("red")],
  );
  const uuid = String(made.body["UUID"]);
  const shown = await call(second, "GET", `/${uuid}`);
  for (const [member, value] of Object.entries(QUEUE_TOY.members("red")))
    assert.equal(shown.body[member], value);
  await second.settled(uuid, "Enabled");
  assert.equal((await call(second, "DELETE", `/${uuid}`)).status, 202);
});
