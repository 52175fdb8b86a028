import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { messagesOf } from "../contract/activemq-harness.ts";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import { ACTIVEMQ_PASSWORD, ACTIVEMQ_USER, startActivemq } from "./activemq.ts";
import { activemqQueue } from "./activemq-queues.ts";

const server = await startActivemq();
after(() => server.close());

const MESSAGES = 3_000;
const GROUPS = 20;
/** Calls of which one fails. */
const FAILS_EVERY = 13;

/** A function that fails now and then, and remembers what it was given. */
async function startWitness(t: TestContext) {
  const seen: string[] = [];
  const succeeded = new Set<string>();
  let calls = 0;
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const event: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const bodies = messagesOf(event).map(({ data }) => Buffer.from(data, "base64").toString());
    seen.push(...bodies);
    const fails = ++calls % FAILS_EVERY === 0;
    if (!fails) for (const body of bodies) succeeded.add(body);
    response.writeHead(200, fails ? { "x-amz-function-error": "Unhandled" } : {});
    response.end(fails ? '{"errorType":"Planned","errorMessage":"now and then"}' : "null");
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  return { seen, succeeded, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/` };
}

function startRun(t: TestContext, folder: string): MillraceProcess {
  const env = { LOGIN: JSON.stringify({ username: ACTIVEMQ_USER, password: ACTIVEMQ_PASSWORD }) };
  const words = ["run", "-f", join(folder, "run.yaml"), "--store", "memory:"];
  return new MillraceProcess(t, words, folder, { env });
}

describe("a mapping of ActiveMQ under kills", { timeout: 300_000 }, () => {
  test("loses nothing and keeps the order of groups, whoever is killed", async (t) => {
    const queue = activemqQueue(server);
    const witness = await startWitness(t);
    const folder = mkdtempSync(join(tmpdir(), "millrace-activemq-run-"));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(
      join(folder, "run.yaml"),
      `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: witness }
spec: { http: { url: "${witness.url}" }, timeoutSeconds: 20 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders }
spec:
  functionName: witness
  eventSourceArn: arn:aws:mq:eu-west-1:000000000000:broker:shop:b-1
  endpoints: { ACTIVEMQ_ENDPOINTS: ["${server.endpoint}"] }
  queues: ["${queue.name}"]
  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: "env:LOGIN" }]
  batchSize: 50
  deliveryLimit: 1000
`,
    );
    const bodies = Array.from({ length: MESSAGES }, (_, index) => `${index % GROUPS}-${index}`);
    await queue.send(bodies.map((body, index) => ({ body, groupId: String(index % GROUPS) })));
    const reached = (isIt: (seen: ReadonlySet<string>) => boolean) =>
      until(
        () => isIt(witness.succeeded),
        () => `${witness.succeeded.size} of ${MESSAGES}: ${run.stderr.slice(-3_000)}`,
      );
    let run = startRun(t, folder);
    await reached(({ size }) => size > MESSAGES / 5);
    run.kill("SIGKILL");
    await run.exited;
    run = startRun(t, folder);
    await reached(({ size }) => size > (2 * MESSAGES) / 5);
    await server.kill();
    await server.start();
    await reached(({ size }) => size === MESSAGES);
    run.kill("SIGTERM");
    await run.exited;
    const firsts = [...new Set(witness.seen)];
    for (let group = 0; group < GROUPS; group++) {
      const isOfGroup = (body: string) => body.startsWith(`${group}-`);
      assert.deepEqual(
        firsts.filter(isOfGroup),
        bodies.filter(isOfGroup),
        `group ${group} came in its order`,
      );
    }
    t.diagnostic(`${MESSAGES} messages, 2 kills, ${witness.seen.length - MESSAGES} repeats`);
    assert.ok(!run.stderr.includes(ACTIVEMQ_PASSWORD), "no log shows the password");
  });
});
