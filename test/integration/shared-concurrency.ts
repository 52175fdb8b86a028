import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { InvokeCommand, LambdaClient, TooManyRequestsException } from "@aws-sdk/client-lambda";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

const RESERVED = 5;
const FAIR = Math.floor(RESERVED / 2);
const CALLERS = 10;
const RECORDS = 20_000;

/**
 * A mapping that never pauses in one process, and callers of Invoke in another: never more than the reserved
 * concurrency at the function, each process has its fair half, and what a killed process had comes back.
 */
export async function provesSharedConcurrency(t: TestContext, store: string): Promise<void> {
  const fn = await startFunction(t);
  const folder = mkdtempSync(join(tmpdir(), "millrace-grants-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = openStreamFile(join(folder, "orders.db"));
  const records = Array.from({ length: RECORDS }, (_, index) => ({ partitionKey: `k${index}`, data: "x" }));
  file.createStream({ name: "orders", shards: 2 }).append(records);
  file.close();
  writeFileSync(join(folder, "function.yaml"), functionOf(fn.url));
  writeFileSync(join(folder, "mapping.yaml"), MAPPING);
  const start = (...more: readonly string[]) => {
    const flags = ["run", "-f", "function.yaml", ...more, "--api", "127.0.0.1:0", "--store", store];
    return new MillraceProcess(t, flags, folder);
  };

  const polling = start("-f", "mapping.yaml");
  await until(
    () => fn.heldBy("polling") === RESERVED,
    () => `the mapping has ${fn.heldBy("polling")} calls: ${polling.stderr}`,
  );
  const serving = start();
  const client = clientOf(t, await serving.apiUrl());
  const callers = callAgainAndAgain(client);
  const releasing = setInterval(() => fn.endOne(), 5);
  t.after(() => clearInterval(releasing));
  const batches = fn.ended.polling;
  await until(
    () => callers.answered >= 100 && fn.ended.polling >= batches + 100,
    () => `${callers.answered} calls were answered, ${callers.refused} refused: ${serving.stderr}`,
  );
  clearInterval(releasing);
  await until(
    () => fn.heldBy("polling") >= FAIR && fn.heldBy("serving") >= FAIR && fn.held.size === RESERVED,
    () => `the mapping has ${fn.heldBy("polling")} places, Invoke has ${fn.heldBy("serving")}`,
  );
  assert.equal(fn.most, RESERVED, "never more than the reserved concurrency, over both processes");
  // Each place is held, and nobody ends a call: who waited for one would wait for ever.
  const refused = clientOf(t, await polling.apiUrl()).send(invocation());
  await assert.rejects(refused, (error) => error instanceof TooManyRequestsException);

  callers.isOver = true;
  serving.kill("SIGKILL");
  await serving.ended;
  await callers.ended;
  await until(
    () => fn.heldBy("polling") === RESERVED,
    () =>
      `of the places of a killed process ${RESERVED - fn.heldBy("polling")} are not back: ${polling.stderr}`,
  );
  const metrics = await (await fetch(`${await polling.apiUrl()}/metrics`)).text();
  assert.match(metrics, new RegExp(`millrace_function_grant\\{function="orders"\\} ${RESERVED}\\n`));
}

function callAgainAndAgain(client: LambdaClient) {
  const callers = { answered: 0, refused: 0, isOver: false, ended: Promise.resolve() };
  const loop = async () => {
    while (!callers.isOver) {
      try {
        await client.send(invocation());
        callers.answered++;
      } catch (error) {
        if (callers.isOver) return;
        assert.ok(error instanceof TooManyRequestsException, String(error));
        callers.refused++;
      }
    }
  };
  callers.ended = Promise.all(Array.from({ length: CALLERS }, loop)).then(() => undefined);
  return callers;
}

function clientOf(t: TestContext, endpoint: string): LambdaClient {
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({ region: "eu-west-1", endpoint, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  return client;
}

function invocation(): InvokeCommand {
  return new InvokeCommand({ FunctionName: "orders", Payload: Buffer.from("{}") });
}

type Caller = "polling" | "serving";

/** Holds every call until it is ended, the oldest first, or its process has gone. Only the mapping sends records. */
async function startFunction(t: TestContext) {
  const held = new Map<ServerResponse, Caller>();
  const heldBy = (caller: Caller) => [...held.values()].filter((each) => each === caller).length;
  const ended: Record<Caller, number> = { polling: 0, serving: 0 };
  const fn = { url: "", held, heldBy, ended, most: 0, endOne };
  function endOne(): void {
    const [first] = held;
    if (first === undefined) return;
    const [response, caller] = first;
    held.delete(response);
    ended[caller]++;
    response.end("null");
  }
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      held.set(response, text.includes("Records") ? "polling" : "serving");
      fn.most = Math.max(fn.most, held.size);
    });
    response.on("close", () => held.delete(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  fn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return fn;
}

function functionOf(url: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 300, reservedConcurrency: ${RESERVED} }
`;
}

const MAPPING = `apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: saturating }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  endpoints: { LOCAL_FILE: [orders.db] }
  startingPosition: TRIM_HORIZON
  batchSize: 1
  parallelizationFactor: 10
`;
