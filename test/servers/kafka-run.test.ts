import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import kafkajs from "kafkajs";
import { MillraceProcess, until } from "../integration/cli/millrace-process.ts";
import { startKafka } from "./kafka.ts";
import { KAFKA_USERS } from "./kafka-settings.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const server = await startKafka({ secure: true });
after(() => server.close());
const [READER] = KAFKA_USERS;
/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

await server.admin.createAcls({
  acl: [AclResourceTypes.TOPIC, AclResourceTypes.GROUP].map((resourceType) => ({
    resourceType,
    resourceName: "*",
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${READER.username}`,
    host: "*",
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  })),
});

interface KafkaElement {
  readonly partition: number;
  readonly offset: number;
  readonly key?: string;
  readonly value?: string;
}

interface KafkaEvent {
  readonly eventSource: string;
  readonly records: Readonly<Record<string, readonly KafkaElement[]>>;
}

/** A function behind HTTP that gets each event and gives back what `answer` makes of it. */
async function startFunction(t: TestContext, answer: (event: KafkaEvent) => unknown): Promise<string> {
  const functionServer = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () =>
      response.end(JSON.stringify(answer(JSON.parse(Buffer.concat(parts).toString())))),
    );
  });
  await new Promise<void>((resolve) => functionServer.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    functionServer.closeAllConnections();
    functionServer.close();
  });
  return `http://127.0.0.1:${(functionServer.address() as AddressInfo).port}/`;
}

let topics = 0;

async function createTopics(): Promise<{ readonly topic: string; readonly failed: string }> {
  const topic = `orders-${++topics}`;
  const failed = `failed-${topics}`;
  await server.admin.createTopics({
    waitForLeaders: true,
    topics: [topic, failed].map((name) => ({ topic: name, numPartitions: 3 })),
  });
  return { topic, failed };
}

interface Run {
  readonly topic: string;
  readonly url: string;
  readonly password: string;
  /** Added to the mapping's spec. */
  readonly lines?: string;
}

/** A folder with a manifest over the listener with TLS and users, and the secrets as files beside it. */
function makeFolder(t: TestContext, { topic, url, password, lines = "" }: Run): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-kafka-run-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "login.json"), JSON.stringify({ username: READER.username, password }));
  writeFileSync(join(folder, "ca.json"), JSON.stringify({ certificate: server.certificates.ca }));
  writeFileSync(
    join(folder, "orders.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 10 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-topic }
spec:
  functionName: orders
  selfManagedEventSource:
    endpoints: { KAFKA_BOOTSTRAP_SERVERS: [${server.bootstrap("SASL_SSL").map((at) => JSON.stringify(at))}] }
  topics: [${topic}]
  sourceAccessConfigurations:
    - { type: SASL_SCRAM_512_AUTH, uri: "file:login.json" }
    - { type: SERVER_ROOT_CA_CERTIFICATE, uri: "file:ca.json" }
  startingPosition: TRIM_HORIZON
  batchSize: 20
  selfManagedKafkaEventSourceConfig: { consumerGroupId: "group-${topic}" }
${lines}
`,
  );
  return folder;
}

function startRun(t: TestContext, folder: string, ...words: readonly string[]): MillraceProcess {
  const common = ["run", "-f", "orders.yaml", "--log-level", "debug", "--api", "127.0.0.1:0"];
  return new MillraceProcess(t, [...common, ...words], folder);
}

/** Whatever the process shows to anybody. */
async function allShown(run: MillraceProcess): Promise<string> {
  const api = await run.apiUrl();
  const answers = await Promise.all(
    ["/metrics", "/millrace/v1/status", "/readyz"].map(async (path) =>
      (await fetch(new URL(path, api))).text(),
    ),
  );
  return [run.stdout, run.stderr, ...answers].join("\n");
}

async function produce(topic: string, values: readonly { readonly key: string; readonly value: string }[]) {
  const producer = server.client.producer();
  await producer.connect();
  await producer.send({ topic, messages: [...values] });
  await producer.disconnect();
}

const textOf = (base64: string | undefined) => Buffer.from(base64 ?? "", "base64").toString();

test(
  "runs a mapping over TLS and SCRAM: in order, filtered, listed records again, failures to a topic",
  HANG,
  async (t) => {
    const { topic, failed } = await createTopics();
    const seen: { readonly key: string; readonly number: number }[] = [];
    let kinds = new Set<string>();
    const url = await startFunction(t, ({ eventSource, records }) => {
      kinds = kinds.add(eventSource);
      const failedKeys = new Set<string>();
      const batchItemFailures = Object.entries(records).flatMap(([partition, elements]) =>
        elements.flatMap(({ offset, key, value }) => {
          const { number } = JSON.parse(textOf(value));
          // Later records of a key that failed are left alone, without being listed: they come again with it.
          if (failedKeys.has(textOf(key))) return [];
          if (number !== 77) seen.push({ key: textOf(key), number });
          else failedKeys.add(textOf(key));
          return number === 77 ? [{ itemIdentifier: { partition, offset } }] : [];
        }),
      );
      return { batchItemFailures };
    });
    const values = Array.from({ length: 300 }, (_, number) => ({
      key: `key-${number % 10}`,
      value: JSON.stringify({ number, wanted: number % 3 !== 0 }),
    }));
    await produce(topic, values);
    const folder = makeFolder(t, {
      topic,
      url,
      password: READER.password,
      lines: `  functionResponseTypes: [ReportBatchItemFailures]
  maximumRetryAttempts: 1
  bisectBatchOnFunctionError: true
  parallelizationFactor: 3
  filterCriteria: { filters: [{ pattern: '{"value":{"wanted":[true]}}' }] }
  destinationConfig: { onFailure: { destination: "kafka://${failed}" } }`,
    });
    const run = startRun(t, folder);
    const wanted = values.flatMap(({ value }) => {
      const parsed = JSON.parse(value);
      return parsed.wanted && parsed.number !== 77 ? [parsed.number] : [];
    });
    await until(
      async () => {
        const [, delivered] = await Promise.all([
          new Set(seen.map(({ number }) => number)).size,
          server.admin.fetchTopicOffsets(failed),
        ]);
        const failures = delivered.reduce((sum, { high }) => sum + Number(high), 0);
        return failures >= 1 && new Set(seen.map(({ number }) => number)).size === wanted.length;
      },
      () => `the function saw ${seen.length} records: ${run.stderr}`,
      60_000,
    );
    assert.deepEqual(kinds, new Set(["SelfManagedKafka"]));
    for (const own of Map.groupBy(seen, ({ key }) => key).values()) {
      const numbers = own.map(({ number }) => number);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
    assert.equal(seen.length, wanted.length, "some came twice");
    const shown = await allShown(run);
    assert.ok(!shown.includes(READER.password), "the password was shown");
    run.kill("SIGTERM");
    assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);

    // Committed offsets win over TRIM_HORIZON: a second life sees what is new, and nothing again.
    seen.length = 0;
    await produce(topic, [{ key: "key-1", value: '{"number":1000,"wanted":true}' }]);
    const second = startRun(t, folder, "--until-caught-up");
    assert.deepEqual(await second.ended, { status: 0, signal: null }, second.stderr);
    assert.deepEqual(
      seen.map(({ number }) => number),
      [1000],
    );
  },
);

test("a wrong password is told of and shown nowhere", HANG, async (t) => {
  const { topic } = await createTopics();
  const password = "canary-8d1c-wrong-password";
  const url = await startFunction(t, () => ({}));
  const run = startRun(t, makeFolder(t, { topic, url, password }));
  await run.printed(/SASL/);
  const shown = await allShown(run);
  assert.ok(!shown.includes(password), "the password was shown");
  run.kill("SIGTERM");
  await run.ended;
  assert.ok(!run.stderr.includes(password));
});

test("does not start without its secret", HANG, async (t) => {
  const { topic } = await createTopics();
  const folder = makeFolder(t, { topic, url: "http://127.0.0.1:9/", password: "x" });
  rmSync(join(folder, "login.json"));
  const run = startRun(t, folder);
  const { error } = await run.logged(
    "a mapping cannot be started until something is changed; looking again every few seconds",
  );
  run.kill("SIGTERM");
  await run.ended;
  assert.match(
    String(error),
    /The secret for SASL_SCRAM_512_AUTH cannot be read from .*login\.json \(ENOENT\)/,
  );
});
