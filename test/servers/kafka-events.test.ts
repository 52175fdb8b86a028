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
const [USER] = KAFKA_USERS;
/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };
const TOPICS = ["done", "lost", "dead"] as const;

await server.admin.createTopics({ topics: TOPICS.map((topic) => ({ topic })), waitForLeaders: true });
await server.admin.createAcls({
  acl: [
    {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: "*",
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: `User:${USER.username}`,
      host: "*",
      operation: AclOperationTypes.ALL,
      permissionType: AclPermissionTypes.ALLOW,
    },
  ],
});

/** A function behind HTTP that fails for whom it is told to. */
async function startFunction(t: TestContext): Promise<string> {
  const fn = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { fails } = JSON.parse(Buffer.concat(parts).toString());
      if (fails === true) response.setHeader("X-Amz-Function-Error", "Unhandled");
      response.end(fails === true ? '{"errorMessage":"asked to"}' : '{"did":"it"}');
    });
  });
  await new Promise<void>((resolve) => fn.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    fn.closeAllConnections();
    fn.close();
  });
  return `http://127.0.0.1:${(fn.address() as AddressInfo).port}/`;
}

function makeFolder(t: TestContext, url: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-kafka-events-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { username, password } = USER;
  writeFileSync(join(folder, "login.json"), JSON.stringify({ username, password }));
  writeFileSync(join(folder, "ca.json"), JSON.stringify({ certificate: server.certificates.ca }));
  const login = "SASL_SCRAM_512_AUTH=file:login.json&SERVER_ROOT_CA_CERTIFICATE=file:ca.json";
  const at = (topic: string) => `"kafka://${server.bootstrap("SASL_SSL").join(",")}/${topic}?${login}"`;
  writeFileSync(
    join(folder, "orders.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  http: { url: "${url}" }
  eventInvokeConfig:
    maximumRetryAttempts: 0
    destinationConfig:
      onSuccess: { destination: ${at("done")} }
      onFailure: { destination: ${at("lost")} }
  deadLetterConfig: { targetArn: ${at("dead")} }
`,
  );
  return folder;
}

interface Told {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly document: { readonly [member: string]: unknown };
}

/** Whatever the three topics get, as kafkajs's own consumer reads it. */
async function listen(t: TestContext): Promise<readonly Told[]> {
  const told: Told[] = [];
  const consumer = server.client.consumer({ groupId: "who-is-told" });
  await consumer.connect();
  t.after(() => consumer.disconnect());
  await consumer.subscribe({ topics: [...TOPICS], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      const document = JSON.parse(String(message.value));
      told.push({ topic, key: String(message.key), headers: Object.fromEntries(headers), document });
    },
  });
  return told;
}

test(
  "ends of events are told to topics by TLS and SCRAM, also those of a time when the brokers were away",
  HANG,
  async (t) => {
    const folder = makeFolder(t, await startFunction(t));
    const words = ["run", "-f", "orders.yaml", "--store", "sqlite:events.db", "--api", "127.0.0.1:0"];
    const run = new MillraceProcess(t, words, folder);
    const api = await run.apiUrl();
    const invoke = async (payload: object): Promise<string> => {
      const answer = await fetch(new URL("/2015-03-31/functions/orders/invocations", api), {
        method: "POST",
        headers: { "X-Amz-Invocation-Type": "Event" },
        body: JSON.stringify(payload),
      });
      assert.equal(answer.status, 202, await answer.text());
      return answer.headers.get("x-amzn-requestid") ?? "";
    };
    const told = await listen(t);
    const toldOf = (id: string) => told.filter(({ key }) => key.startsWith(id));
    const good = await invoke({ number: 1 });
    const bad = await invoke({ number: 2, fails: true });
    await until(
      () => told.length >= 3,
      () => `${told.length} were told: ${run.stderr}`,
    );
    const [success] = toldOf(good);
    assert.deepEqual([success?.topic, success?.key], ["done", `${good}/success`]);
    assert.deepEqual(success?.document["responsePayload"], { did: "it" });
    assert.deepEqual(success?.document["requestPayload"], { number: 1 });
    const [lost] = toldOf(bad).filter(({ topic }) => topic === "lost");
    assert.equal(lost?.headers["millrace-failure-id"], `${bad}/failure`);
    assert.match(JSON.stringify(lost?.document["requestContext"]), /"condition":"RetriesExhausted"/);
    const [dead] = toldOf(bad).filter(({ topic }) => topic === "dead");
    assert.deepEqual(dead?.document, { number: 2, fails: true });
    assert.deepEqual([dead?.headers["RequestID"], dead?.headers["ErrorCode"]], [bad, "200"]);

    await server.kill(0);
    const late = await invoke({ number: 3 });
    await run.logged("what became of an event could not be delivered; trying again");
    await server.start(0);
    await until(
      () => toldOf(late).length >= 1,
      () => `the late one was not told: ${run.stderr}`,
      90_000,
    );
    assert.ok(!`${run.stdout}${run.stderr}`.includes(USER.password), "the password was shown");
    run.kill("SIGTERM");
    assert.deepEqual(await run.ended, { status: 0, signal: null }, run.stderr);
  },
);
