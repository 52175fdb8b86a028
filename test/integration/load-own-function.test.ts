import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createPort } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LoadResult } from "../../src/load/load-result.ts";
import { MillraceProcess } from "./cli/millrace-process.ts";
import { HANG, PATIENT, runScenario } from "./load-run.ts";

const NOTHING_WRONG = { lost: 0, outOfOrder: 0, duplicatesBeyondBound: 0, phantoms: 0 };

test(
  "the scenario's own function is judged by a proxy before it, also when it fails and names failed items",
  HANG,
  async (t) => {
    let calls = 0;
    let withHeaders = 0;
    const url = await ownFunction(t, (body, incoming, response) => {
      calls += 1;
      if (incoming.headers["lambda-runtime-aws-request-id"] !== undefined) withHeaders += 1;
      if (calls % 7 === 0) {
        response.writeHead(200, { "x-amz-function-error": "Unhandled" });
        response.end('{"errorType":"TypeError","errorMessage":"no price"}');
        return;
      }
      const { Records } = JSON.parse(body);
      const failing = calls % 5 === 0 ? [{ itemIdentifier: Records.at(-1).kinesis.sequenceNumber }] : [];
      response.end(JSON.stringify({ batchItemFailures: failing }));
    });
    const { status, load, result } = await runScenario(
      t,
      `${PATIENT}
source: { shards: 2 }
rate: [{ seconds: 2, perSecond: 100 }]
keys: { count: 20 }
mapping: { batchSize: 10, functionResponseTypes: [ReportBatchItemFailures] }
function: { url: "${url}", timeoutSeconds: 100 }
faults: [{ atSeconds: 1, kind: throttle, seconds: 0.2 }]`,
    );
    assert.equal(status, 0, load.stdout + load.stderr);
    const { ledger, invocations } = result();
    assert.deepEqual(ledger.violations, NOTHING_WRONG, ledger.examples.join("\n"));
    assert.deepEqual([ledger.generated, ledger.succeeded], [200, 200]);
    assert.ok((invocations["throw"] ?? 0) > 0, "what failed was seen");
    assert.equal(withHeaders, calls, "the function gets what the engine sends");
  },
);

test(
  "without an engine the verdict is taken at the function, whatever carries the records",
  HANG,
  async (t) => {
    const bridged = await withoutEngine(t, "");
    assert.equal(bridged.status, 0, bridged.said);
    const { ledger, verdicts, memory } = bridged.result;
    assert.deepEqual(ledger.violations, NOTHING_WRONG, ledger.examples.join("\n"));
    assert.equal(ledger.succeeded, 100);
    assert.deepEqual(memory, [], "there is nothing to watch");
    assert.ok(verdicts.some(({ name, holds }) => name === "the test's end" && holds));
  },
);

test("what a bridge leaves out is lost", HANG, async (t) => {
  const leaky = `  filterCriteria: { filters: [{ pattern: '{"data":{"key":[{"numeric":[">",0]}]}}' }] }\n`;
  const { status, result } = await withoutEngine(t, leaky);
  assert.equal(status, 1);
  assert.ok(result.ledger.violations.lost > 0);
  assert.equal(result.ledger.violations.lost, result.ledger.generated - result.ledger.succeeded);
});

/** Another millrace stands for whatever brings records from a source to a function. */
async function withoutEngine(t: TestContext, mapping: string) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-no-engine-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const listen = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(folder, "bridge.yaml"), bridgeManifest(listen, mapping));
  const scenario = `apiVersion: millrace.dev/v1
kind: LoadTest
metadata: { name: bridged }
spec:
  engine: none
  drainSeconds: ${mapping === "" ? 300 : 5}
  rate: [{ seconds: 2, perSecond: 50 }]
  keys: { count: 10 }
  function: { listen: "${listen}", timeoutSeconds: 100 }
  mapping:
    eventSourceArn: arn:aws:local:local-1:000000000000:stream/load
    endpoints: { LOCAL_FILE: [source.db] }
`;
  writeFileSync(join(folder, "load.yaml"), scenario);
  const store = ["--store", `sqlite:${join(folder, "bridge.db")}`, "--api", "127.0.0.1:0"];
  const bridge = new MillraceProcess(t, ["dev", "-f", "bridge.yaml", ...store], folder);
  await bridge.printed(/mapping started/);
  const load = new MillraceProcess(t, ["load", "-f", "load.yaml", "--out", "out"], folder);
  const { status } = await load.ended;
  bridge.kill("SIGKILL");
  const result: LoadResult = JSON.parse(readFileSync(join(folder, "out/result.json"), "utf8"));
  return { status, result, said: load.stdout + load.stderr + bridge.stderr };
}

function bridgeManifest(listen: string, mapping: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: judge }
spec: { http: { url: "http://${listen}/" }, timeoutSeconds: 100 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: bridge }
spec:
  functionName: judge
  eventSourceArn: arn:aws:local:local-1:000000000000:stream/load
  endpoints: { LOCAL_FILE: [source.db] }
  startingPosition: TRIM_HORIZON
${mapping}`;
}

type Answer = (body: string, incoming: IncomingMessage, response: ServerResponse) => void;

async function ownFunction(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer((incoming, response) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    incoming.on("end", () => answer(body, incoming, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createPort().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
