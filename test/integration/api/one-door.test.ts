import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { InvokeCommand, TooManyRequestsException } from "@aws-sdk/client-lambda";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { until } from "../cli/millrace-process.ts";
import { LOCAL_STREAM, startControl } from "./control-run.ts";

const RESERVED = 5;
const CALLERS = 10;
const RECORDS = 2_000;

test("Invoke and a mapping that never pauses share a function's reserved concurrency, and both go on", async (t) => {
  const fn = await startFunction(t);
  const folder = mkdtempSync(join(tmpdir(), "millrace-door-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = openStreamFile(join(folder, "orders.db"));
  const stream = file.createStream({ name: "orders", shards: 4 });
  stream.append(Array.from({ length: RECORDS }, (_, index) => ({ partitionKey: `k${index}`, data: "x" })));
  file.close();
  writeFileSync(join(folder, "functions.yaml"), manifest(fn.url));
  const { client, process } = await startControl(t, folder, []);
  await until(
    () => fn.held.size === RESERVED,
    () => `the mapping has ${fn.held.size} calls: ${process.stderr}`,
  );
  let answered = 0;
  let refused = 0;
  let isOver = false;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!isOver) {
      try {
        await client.send(new InvokeCommand({ FunctionName: "orders", Payload: Buffer.from("{}") }));
        answered++;
      } catch (error) {
        assert.ok(error instanceof TooManyRequestsException, String(error));
        assert.equal(error.Reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
        refused++;
      }
    }
  });
  const releasing = setInterval(() => fn.endOne(), 5);
  t.after(() => clearInterval(releasing));
  await until(
    () => answered >= 100 && fn.batches >= 100,
    () => `${answered} calls were answered, ${refused} refused, ${fn.batches} batches ran`,
  );
  isOver = true;
  await Promise.all(callers);
  assert.equal(fn.most, RESERVED, "never more than its reserved concurrency, over both");
  const metrics = await (await fetch(`${await process.apiUrl()}/metrics`)).text();
  const counted = (kind: string) =>
    metrics.includes(
      `millrace_function_invocations_total{function="orders",caller_kind="${kind}",outcome="succeeded"}`,
    );
  assert.ok(counted("api") && counted("mapping"));
});

test("a caller whom no place comes free for is refused, with AWS's answer, and calls nothing", async (t) => {
  const fn = await startFunction(t);
  const folder = mkdtempSync(join(tmpdir(), "millrace-door-"));
  t.after(() => rmSync(folder, { recursive: true }));
  openStreamFile(join(folder, "orders.db")).close();
  writeFileSync(join(folder, "functions.yaml"), manifest(fn.url).split("---")[0] ?? "");
  const { client } = await startControl(t, folder, []);
  const invoke = () => client.send(new InvokeCommand({ FunctionName: "orders", Payload: Buffer.from("{}") }));
  const held = Array.from({ length: RESERVED }, invoke);
  await until(
    () => fn.held.size === RESERVED,
    () => `${fn.held.size} calls`,
  );
  await assert.rejects(invoke(), (error) => error instanceof TooManyRequestsException);
  assert.equal(fn.most, RESERVED);
  while (fn.held.size > 0) fn.endOne();
  for (const { StatusCode } of await Promise.all(held)) assert.equal(StatusCode, 200);
});

/** Holds every call until it is ended, the oldest first. */
async function startFunction(t: TestContext) {
  const held = new Set<ServerResponse>();
  const fn = { url: "", held, most: 0, batches: 0, endOne };
  function endOne(): void {
    const [first] = held;
    if (first === undefined) return;
    held.delete(first);
    first.end("null");
  }
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      if (text.includes("Records")) fn.batches++;
      held.add(response);
      fn.most = Math.max(fn.most, held.size);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  fn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return fn;
}

function manifest(url: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 60, reservedConcurrency: ${RESERVED} }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: saturating }
spec:
  functionName: orders
  eventSourceArn: ${LOCAL_STREAM}
  endpoints: { LOCAL_FILE: [orders.db] }
  startingPosition: TRIM_HORIZON
  batchSize: 1
  parallelizationFactor: 10
`;
}
