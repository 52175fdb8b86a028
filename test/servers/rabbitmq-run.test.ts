import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { messagesOf } from "../contract/rabbit-harness.ts";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import { RABBITMQ_PASSWORD, RABBITMQ_USER, startRabbitmq } from "./rabbitmq.ts";
import { rabbitQueue } from "./rabbitmq-queues.ts";

const server = await startRabbitmq();
after(() => server.close());

/** Batches of one call, at most. */
const BATCH_SIZE = 100;
const MESSAGES = 6_000;
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
  const env = { RABBIT_LOGIN: JSON.stringify({ username: RABBITMQ_USER, password: RABBITMQ_PASSWORD }) };
  return new MillraceProcess(t, ["run", "-f", join(folder, "run.yaml"), "--store", "memory:"], folder, {
    env,
  });
}

describe("a mapping of RabbitMQ under kills", { timeout: 300_000 }, () => {
  for (const kind of ["classic"] as const) {
    test(`loses nothing and keeps the order of a ${kind} queue, whoever is killed`, async (t) => {
      const queue = await rabbitQueue(server, kind);
      await queue.make();
      const witness = await startWitness(t);
      const folder = mkdtempSync(join(tmpdir(), "millrace-rabbitmq-run-"));
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
  endpoints: { RABBITMQ_ENDPOINTS: ["${server.endpoint}"] }
  queues: ["${queue.name}"]
  sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: "env:RABBIT_LOGIN" }]
  batchSize: ${BATCH_SIZE}
`,
      );
      const bodies = Array.from({ length: MESSAGES }, (_, index) => String(index));
      await queue.send(bodies.map((body) => ({ body, headers: {} })));
      const reached = (isIt: (seen: ReadonlySet<string>) => boolean) =>
        until(
          () => isIt(witness.succeeded),
          () => `${witness.succeeded.size} of ${MESSAGES}: ${run.stderr.slice(-3_000)}`,
        );
      let run = startRun(t, folder);
      await reached(({ size }) => size > MESSAGES / 6);
      run.kill("SIGKILL");
      await run.exited;
      run = startRun(t, folder);
      await reached(({ size }) => size > MESSAGES / 3);
      const repeatsOfOurs = witness.seen.length - new Set(witness.seen).size;
      await server.kill();
      await server.start();
      await reached(({ size }) => size > MESSAGES / 2);
      server.signal("SIGSTOP");
      server.signal("SIGCONT");
      await server.kill();
      await server.start();
      await reached(({ size }) => size === MESSAGES);
      run.kill("SIGTERM");
      await run.exited;
      const firsts = [...new Set(witness.seen)];
      assert.deepEqual(firsts, bodies, "each was given for the first time in the queue's order");
      t.diagnostic(`${MESSAGES} messages, 3 kills, ${witness.seen.length - MESSAGES} repeats`);
      // A killed broker gives again what it had not written down as acknowledged; a killed process of ours one batch.
      const failures = Math.ceil(MESSAGES / BATCH_SIZE / FAILS_EVERY);
      assert.ok(
        repeatsOfOurs <= (1 + failures) * BATCH_SIZE,
        `${repeatsOfOurs} repeats before the broker was killed`,
      );
      assert.ok(!run.stderr.includes(RABBITMQ_PASSWORD), "no log shows the password");
    });
  }
});
