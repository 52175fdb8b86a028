import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { httpFunction, MillraceProcess, until } from "./millrace-process.ts";

const WORKING = Array.from({ length: 7 }, (_, index) => `work${index}`);

function functionText(name: string, target: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${name} }
spec: { ${target} }
`;
}

function mappingText(name: string, { fn = "orders", arn = "" } = {}): string {
  const isQueue = arn !== "";
  return `apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: ${fn}
  eventSourceArn: ${isQueue ? arn : `arn:aws:local:eu-west-1:000000000000:stream/${name}`}
${isQueue ? "" : "  startingPosition: TRIM_HORIZON\n  endpoints: { LOCAL_FILE: [orders.db] }"}
`;
}

/** A service that denies until it is told to answer: a queue of no messages then. */
async function deniedQueue(t: TestContext) {
  const state = { isDenied: true };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      if (state.isDenied) {
        const body = { __type: "com.amazonaws.sqs#AccessDeniedException", message: "not allowed" };
        response.writeHead(403, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
        return;
      }
      const operation = String(request.headers["x-amz-target"]).split(".")[1];
      const { port } = server.address() as AddressInfo;
      const answer =
        operation === "GetQueueUrl"
          ? { QueueUrl: `http://127.0.0.1:${port}/000000000000/denied` }
          : operation === "GetQueueAttributes"
            ? { Attributes: { VisibilityTimeout: "300" } }
            : {};
      const delayMs = operation === "ReceiveMessage" ? 1_000 : 0;
      setTimeout(() => {
        response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer));
      }, delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function tenMappings(t: TestContext, url: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-opening-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = openStreamFile(join(folder, "orders.db"));
  for (const name of [...WORKING, "thrown"]) {
    file.createStream({ name, shards: 1 }).append([{ partitionKey: "1", data: name }]);
  }
  file.close();
  writeFileSync(join(folder, "broken.mjs"), 'throw new Error("no settings at load");\n');
  const documents = [
    functionText("orders", `http: { url: "${url}" }`),
    functionText("broken", "module: { path: broken.mjs }"),
    ...WORKING.map((name) => mappingText(name)),
    mappingText("missing"),
    mappingText("denied", { arn: "arn:aws:sqs:eu-west-1:000000000000:denied" }),
    mappingText("thrown", { fn: "broken" }),
  ];
  writeFileSync(join(folder, "m.yaml"), documents.join("---\n"));
  return folder;
}

interface Status {
  readonly name: string;
  readonly state: string;
  readonly problem?: string;
  readonly lastProcessingResult: string;
}

async function statusOf(api: string): Promise<Map<string, Status>> {
  const { mappings } = JSON.parse(await (await fetch(`${api}/millrace/v1/status`)).text());
  return new Map(mappings.map((status: Status) => [status.name, status]));
}

function awsEnvironment(url: string): Record<string, string> {
  const credentials = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_REGION: "eu-west-1" };
  return { ...credentials, AWS_ENDPOINT_URL_SQS: url };
}

const ARGS = ["run", "-f", "m.yaml", "--api", "127.0.0.1:0", "--store", "memory:"];

test("of ten mappings three cannot be opened: seven work from the start, the three say why and work once repaired", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { state, url: sqs } = await deniedQueue(t);
  const folder = tenMappings(t, url);
  const run = new MillraceProcess(t, ARGS, folder, { env: awsEnvironment(sqs) });
  const api = await run.apiUrl();
  await until(
    () => seen.length === WORKING.length,
    () => `the function saw ${seen}: ${run.stderr}`,
  );
  assert.deepEqual(seen.toSorted(), WORKING);
  const broken: [string, RegExp][] = [
    ["missing", /missing/],
    ["denied", /denied|AccessDenied/i],
    ["thrown", /no settings at load/],
  ];
  await until(
    async () => {
      const status = await statusOf(api);
      return broken.every(([name, reason]) => reason.test(status.get(name)?.problem ?? ""));
    },
    () => `no reasons: ${run.stderr}`,
  );
  assert.equal((await fetch(`${api}/readyz`)).status, 200);
  const list = await millrace(t, folder, "mappings", "list", "--api", api);
  const metrics = await (await fetch(`${api}/metrics`)).text();
  for (const [name, reason] of broken) {
    const { state: stateNow } = (await statusOf(api)).get(name) ?? {};
    assert(stateNow === "Failed" || stateNow === "Creating", `${name} is ${stateNow}`);
    assert.match(list, new RegExp(`${name} +Creating .*${reason.source}`, "i"), list);
    const explained = await millrace(t, folder, "explain", name, "--api", api);
    assert.match(explained, new RegExp(`CANNOT START: .*${reason.source}`, "i"), explained);
    assert.match(metrics, new RegExp(`millrace_mapping_state\\{mapping="${name}",state="Enabled"\\} 0`));
    const lines = run.logs().filter(({ mapping }) => mapping === name);
    assert(
      lines.some(({ error }) => reason.test(String(error))),
      `${name} in the log`,
    );
  }

  const file = openStreamFile(join(folder, "orders.db"));
  file.createStream({ name: "missing", shards: 1 }).append([{ partitionKey: "1", data: "missing" }]);
  file.close();
  writeFileSync(join(folder, "broken.mjs"), "export const handler = async () => undefined;\n");
  state.isDenied = false;
  const repairedMs = performance.now();
  await until(
    async () => [...(await statusOf(api)).values()].every(({ state: now }) => now === "Enabled"),
    () => `not repaired: ${run.stderr}`,
  );
  t.diagnostic(`all ten work ${Math.round(performance.now() - repairedMs)} ms after the repair`);
  await until(
    () => seen.includes("missing"),
    () => `the repaired stream is not read: ${run.stderr}`,
  );
  const status = await statusOf(api);
  await until(
    async () => (await statusOf(api)).get("thrown")?.lastProcessingResult === "OK",
    () => `the repaired module is not invoked: ${JSON.stringify([...status.values()])}`,
  );
  run.kill("SIGTERM");
  assert.deepEqual(await run.ended, { status: 0, signal: null });
});

test("with --strict a mapping that cannot be opened ends the start", async (t) => {
  const { url } = await httpFunction(t, (_event, response) => response.end());
  const { url: sqs } = await deniedQueue(t);
  const folder = tenMappings(t, url);
  const run = new MillraceProcess(t, [...ARGS, "--strict"], folder, { env: awsEnvironment(sqs) });
  assert.equal((await run.ended).status, 1);
  assert.match(run.stderr, /EventSourceMapping missing: /);
  assert.match(run.stderr, /Function broken: .*no settings at load/);
});

test("with --until-caught-up it ends once the others are done, with status 1 and the names of those that never ran", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end());
  const { state, url: sqs } = await deniedQueue(t);
  state.isDenied = false;
  const folder = tenMappings(t, url);
  const run = new MillraceProcess(t, [...ARGS, "--until-caught-up"], folder, { env: awsEnvironment(sqs) });
  assert.deepEqual(await run.ended, { status: 1, signal: null });
  assert.deepEqual(seen.toSorted(), WORKING);
  const [line] = run.logs().filter(({ message }) => message.startsWith("mappings did not run"));
  for (const name of ["missing", "thrown"]) assert.match(String(line?.["error"]), new RegExp(name));
});

async function millrace(t: TestContext, folder: string, ...words: readonly string[]): Promise<string> {
  const run = new MillraceProcess(t, words, folder);
  const { status } = await run.ended;
  assert.equal(status, 0, run.stderr);
  return run.stdout;
}
