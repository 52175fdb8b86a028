import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { readCredentials } from "../../../src/api/access-credentials.ts";
import { createApp } from "../../../src/api/server.ts";
import {
  createEmbeddedBooks,
  type EmbeddedBookOptions,
} from "../../../src/control/embedded/embedded-book.ts";
import { mutated } from "../../fuzz/hostile-json.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { apiOptions, READ_TOKEN, testCredentials } from "./api-fixture.ts";

const PLACE = { region: "eu-west-1", account: "123456789012" };

/** An API over files of a folder; the operator has named one of them, `mappings` read others. */
function served(t: TestContext, mappings: Awaited<ReturnType<EmbeddedBookOptions["mappings"]>> = []) {
  const folder = folderWith(t, {});
  const books = createEmbeddedBooks(CONNECTORS, {
    endpoints: { LOCAL_FILE: [join(folder, "sources.db")] },
    place: PLACE,
    mappings: async () => mappings.map(({ eventSourceArn, endpoints }) => ({ eventSourceArn, endpoints })),
  });
  const app = createApp(apiOptions(undefined, { embedded: () => books }));
  t.after(async () => {
    await app.close();
    await books.close();
  });
  return async (
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    type = "application/json",
  ) => {
    const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const { statusCode, body: text } = await app.inject({
      method,
      url: `/millrace/v1/${path}`,
      headers: { host: "localhost", ...(payload === undefined ? {} : { "content-type": type }) },
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: statusCode, body: JSON.parse(text) };
  };
}

test("makes a stream, takes one record, several, and lines, and shows them", async (t) => {
  const ask = served(t);
  const made = await ask("POST", "streams", { name: "orders", shards: 1 });
  assert.equal(made.status, 201);
  assert.equal(made.body.eventSourceArn, "arn:aws:local:eu-west-1:123456789012:stream/orders");
  assert.equal((await ask("POST", "streams", { name: "orders" })).status, 409);
  const one = await ask("POST", "streams/orders/records", { key: "k", data: { a: 1 } });
  assert.deepEqual(one, {
    status: 200,
    body: {
      failed: 0,
      records: [{ shardId: "shardId-000000000000", sequenceNumber: "00000000000000000001" }],
    },
  });
  const curl = await ask(
    "POST",
    "streams/orders/records",
    '[{"key":"k","data":"2"}]',
    "application/x-www-form-urlencoded",
  );
  assert.equal(curl.status, 200);
  const lines = '{"user":"u"}\n\n{"user":"v"}\n';
  assert.equal(
    (await ask("POST", "streams/orders/records?keyFrom=/user", lines, "application/x-ndjson")).status,
    200,
  );
  const { body } = await ask("GET", "streams/orders/records?which=oldest");
  assert.deepEqual(
    body.records.map((record: { key: string; data: string }) => [record.key, record.data]),
    [
      ["k", '{"a":1}'],
      ["k", "2"],
      ["u", '{"user":"u"}'],
      ["v", '{"user":"v"}'],
    ],
  );
  const { body: list } = await ask("GET", "streams");
  assert.deepEqual(
    list.streams.map(({ name, openShards }: { name: string; openShards: number }) => [name, openShards]),
    [["orders", 1]],
  );
});

test("tells of each record whether it was stored, and by the status when none was", async (t) => {
  const ask = served(t);
  await ask("POST", "streams", { name: "orders" });
  const some = await ask("POST", "streams/orders/records", [
    { key: "k", data: 1 },
    { key: "", data: 2 },
    { nobody: 3 },
  ]);
  assert.equal(some.status, 200);
  assert.equal(some.body.failed, 2);
  assert.deepEqual(
    some.body.records.map(({ errorCode }: { errorCode?: string }) => errorCode),
    [undefined, "InvalidParameterValue", "InvalidParameterValue"],
  );
  const none = await ask("POST", "streams/orders/records", [{ key: "", data: 2 }]);
  assert.equal(none.status, 400);
  assert.match(none.body.message, /partition key/);
  assert.equal(none.body.records.length, 1);
});

test("sends messages to standard and FIFO queues, deduplicates them, and purges", async (t) => {
  const ask = served(t);
  await ask("POST", "queues", { name: "dead.fifo" });
  const made = await ask("POST", "queues", {
    name: "jobs.fifo",
    holdSeconds: 60,
    deadLetterQueue: "dead.fifo",
    maxReceiveCount: 3,
  });
  assert.equal(made.status, 201);
  assert.deepEqual(made.body.redrive, { deadLetterQueue: "dead.fifo", maxReceiveCount: 3 });
  const twice = await ask("POST", "queues/jobs.fifo/messages", [
    { body: { a: 1 }, group: "g", dedup: "d" },
    { body: { a: 2 }, group: "g", dedup: "d" },
    { body: "no group" },
  ]);
  const [first, second, third] = twice.body.messages;
  assert.equal(twice.body.failed, 1);
  assert.equal(first.messageId, second.messageId);
  assert.match(third.errorMessage, /groupId/);
  assert.equal(
    (await ask("POST", "queues/jobs.fifo/messages?group=g", "plain text", "application/x-ndjson")).status,
    200,
  );
  const { body } = await ask("GET", "queues/jobs.fifo/messages");
  assert.deepEqual(
    body.messages.map((message: { body: string }) => message.body),
    ['{"a":1}', "plain text"],
  );
  assert.deepEqual((await ask("DELETE", "queues/jobs.fifo/messages")).body, { purged: 2 });
});

test("puts into the file that a mapping of the stream reads, before the operator's", async (t) => {
  const folder = folderWith(t, {});
  const eventSourceArn = "arn:aws:local:us-east-1:000000000000:stream/orders";
  const mapped = { eventSourceArn, endpoints: { LOCAL_FILE: [join(folder, "mapped.db")] } };
  const mappings = [mapped];
  const ask = served(t, mappings);
  await ask("POST", "streams", { name: "orders" });
  await ask("POST", "streams", { name: "other" });
  await ask("POST", "streams/orders/records", { key: "k", data: 1 });
  const { openStreamFile } = await import("../../../connectors/local/stream-file.ts");
  const file = openStreamFile(join(folder, "mapped.db"));
  assert.deepEqual(file.streamNames(), ["orders"]);
  file.close();
  const { body } = await ask("GET", "streams");
  assert.deepEqual(
    body.streams.map(({ name }: { name: string }) => name),
    ["orders", "other"],
  );
  mappings.push({ eventSourceArn, endpoints: { LOCAL_FILE: [join(folder, "second.db")] } });
  const second = openStreamFile(join(folder, "second.db"));
  second.createStream({ name: "orders", shards: 1 });
  second.close();
  const refused = await ask("POST", "streams/orders/records", { key: "k", data: 1 });
  assert.equal(refused.status, 409);
});

test("refuses what is not there, not readable, too large, or of another type", async (t) => {
  const ask = served(t);
  assert.equal((await ask("POST", "streams/nobody/records", { key: "k", data: 1 })).status, 404);
  await ask("POST", "streams", { name: "orders" });
  const to = "streams/orders/records";
  for (const [body, type, status] of [
    ["{", "application/json", 400],
    ["[]", "application/json", 400],
    ["", "application/x-ndjson", 400],
    ["{}", "text/plain", 415],
    [`[${"{},".repeat(10_000)}{}]`, "application/json", 413],
    [`"${"x".repeat(6 * 1024 * 1024)}"`, "application/json", 413],
  ] as const)
    assert.equal((await ask("POST", to, body, type)).status, status, `${type} ${body.slice(0, 20)}`);
  assert.equal((await ask("POST", `${to}?key=a&keyFrom=/b`, "{}")).status, 400);
  assert.equal((await ask("POST", `${to}?keyFrom=b`, "{}")).status, 400);
  assert.equal((await ask("GET", `${to}?count=101`)).status, 400);
  for (const body of [
    {},
    { name: 1 },
    { name: "a/b" },
    { name: "a", shards: 0 },
    { name: "a", shard: 1 },
    { name: "a", shards: "1" },
  ])
    assert.equal((await ask("POST", "streams", body)).status, 400, JSON.stringify(body));
  assert.equal((await ask("POST", "queues", { name: "a", maxReceiveCount: 1 })).status, 400);
});

test("a caller who may only read sees which streams there are, and neither their contents nor a way to put in", async (t) => {
  const app = createApp(apiOptions(undefined, { credentials: testCredentials(t) }));
  t.after(() => app.close());
  const headers = { host: "localhost", authorization: `Bearer ${READ_TOKEN}` };
  // 500: nothing is open here, which only callers learn who may ask.
  for (const [method, url, status] of [
    ["GET", "/millrace/v1/streams", 500],
    ["GET", "/millrace/v1/streams/orders/records", 403],
    ["POST", "/millrace/v1/streams/orders/records", 403],
    ["POST", "/millrace/v1/queues", 403],
    ["DELETE", "/millrace/v1/queues/jobs/messages", 403],
  ] as const)
    assert.equal((await app.inject({ method, url, headers })).statusCode, status, `${method} ${url}`);
});

test("a caller who may only send makes, lists and puts in, and neither looks into contents nor purges", async (t) => {
  const folder = folderWith(t, {});
  const token = "send-token-send-token-send-token-1";
  const path = join(folder, "credentials.yaml");
  writeFileSync(path, `tokens: [{ name: sender, role: send, token: ${token} }]\n`);
  const books = createEmbeddedBooks(CONNECTORS, {
    endpoints: { LOCAL_FILE: [join(folder, "sources.db")] },
    place: PLACE,
    mappings: async () => [],
  });
  const app = createApp(
    apiOptions(undefined, { embedded: () => books, credentials: readCredentials(path, {}) }),
  );
  t.after(async () => {
    await app.close();
    await books.close();
  });
  const headers = { host: "localhost", authorization: `Bearer ${token}`, "content-type": "application/json" };
  for (const [method, url, payload, status] of [
    ["POST", "streams", '{"name":"orders"}', 201],
    ["POST", "streams/orders/records", '{"key":"k","data":1}', 200],
    ["POST", "queues", '{"name":"jobs"}', 201],
    ["POST", "queues/jobs/messages", '{"body":1}', 200],
    ["GET", "streams", undefined, 200],
    ["GET", "queues", undefined, 200],
    ["GET", "status", undefined, 403],
    ["GET", "streams/orders/records", undefined, 403],
    ["GET", "queues/jobs/messages", undefined, 403],
    ["DELETE", "queues/jobs/messages", undefined, 403],
  ] as const) {
    const asked = {
      method,
      url: `/millrace/v1/${url}`,
      headers,
      ...(payload === undefined ? {} : { payload }),
    };
    assert.equal((await app.inject(asked)).statusCode, status, `${method} ${url}`);
  }
});

test("whatever a body holds is answered item by item or as a whole, and never as a defect", async (t) => {
  const ask = served(t);
  await ask("POST", "streams", { name: "s" });
  await ask("POST", "queues", { name: "q.fifo" });
  const calls = [
    ["streams/s/records", { key: "k", data: { a: [1, "2"] } }],
    ["streams/s/records", [{ key: "k", dataBase64: "eA==", hashKey: "0" }, { data: null }]],
    ["streams/s/records?keyFrom=/a/0", { a: ["k"] }],
    ["queues/q.fifo/messages", [{ body: { a: 1 }, group: "g", dedup: "d", attributes: { n: 1 } }]],
    ["queues/q.fifo/messages?groupFrom=/a", { a: "g" }],
    ["streams", { name: "t", shards: 2, retentionSeconds: 60 }],
    ["queues", { name: "u.fifo", holdSeconds: 1, deadLetterQueue: "q.fifo", maxReceiveCount: 2 }],
  ] as const;
  const random = new SeededRandom(7);
  const statuses = new Set<number>();
  for (let index = 0; index < 200; index++) {
    const [path, body] = random.pick(calls);
    let changed = mutated(JSON.parse(JSON.stringify(body)), random);
    while (random.chance(0.4)) changed = mutated(changed, random);
    const text = JSON.stringify(changed);
    const type = random.chance(0.3) ? "application/x-ndjson" : "application/json";
    const { status } = await ask("POST", path, random.chance(0.1) ? text.slice(1) : text, type);
    assert.ok(status < 500, `${path} ${text}: ${status}`);
    statuses.add(status);
  }
  for (const status of [200, 201, 400]) assert.ok(statuses.has(status), `${status} was never answered`);
});
