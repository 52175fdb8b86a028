import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { GetRecordsCommand, KinesisClient, ListShardsCommand } from "@aws-sdk/client-kinesis";
import { abortable, answerOf, createLeanClient } from "../../../src/aws/lean-client.ts";
import type { LeanResponse } from "../../../src/aws/lean-http.ts";

const NO_ABORT = new AbortController().signal;
const DATE = "Mon, 30 Nov 2026 09:00:00 GMT";

interface Seen {
  readonly command: string;
  readonly text: string;
}

/** A client whose calls `answer` answers, and which replaces the bodies of GetRecords by `rest`. */
async function clientAnswered(t: TestContext, answer: (response: ServerResponse) => void, rest = "{}") {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => answer(response.setHeader("date", DATE)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const seen: Seen[] = [];
  const needs = {
    region: "eu-west-1",
    service: "kinesis",
    connections: 2,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seeAnswer(command: string, given: LeanResponse): LeanResponse {
      seen.push({ command, text: given.body.toString() });
      if (command !== "GetRecordsCommand" || given.statusCode !== 200) return given;
      return { ...given, body: Buffer.from(rest) };
    },
  };
  const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
  const client = createLeanClient(needs, (settings) => new KinesisClient({ ...settings, credentials }));
  t.after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return {
    client,
    seen,
    read: () => client.send(abortable(new GetRecordsCommand({ ShardIterator: "i" }), NO_ABORT)),
  };
}

test("an answer is seen whole before the SDK reads what is left of it, and stays known by what the SDK made of it", async (t) => {
  const text = '{"a":"käse 鍵 🔑"}';
  const { read, seen } = await clientAnswered(
    t,
    (response) => response.end(text),
    '{"NextShardIterator":"left"}',
  );
  const output = await read();
  assert.deepEqual(seen, [{ command: "GetRecordsCommand", text }]);
  assert.equal(output.NextShardIterator, "left");
  assert.equal(answerOf(output)?.headers["date"], DATE);
  assert.equal(answerOf({}), undefined);
});

test("failures are the SDK's, by name and status", async (t) => {
  const { read, seen } = await clientAnswered(t, (response) => {
    response.writeHead(400).end('{"__type":"ExpiredIteratorException","message":"too late"}');
  });
  await assert.rejects(read(), { name: "ExpiredIteratorException", $fault: "client" });
  assert.deepEqual(
    seen.map(({ command }) => command),
    ["GetRecordsCommand"],
  );
});

test("a call ends at its own signal, and other calls of the same command go on", async (t) => {
  const waiting: ServerResponse[] = [];
  const { client } = await clientAnswered(t, (response) => {
    waiting.push(response);
  });
  const first = new AbortController();
  const list = (signal: AbortSignal) =>
    client.send(abortable(new ListShardsCommand({ StreamName: "orders" }), signal));
  const aborted = assert.rejects(list(first.signal), { name: "AbortError" });
  const answered = list(NO_ABORT);
  first.abort();
  await aborted;
  while (waiting.length === 0 || waiting.every(({ destroyed }) => destroyed)) await new Promise(setImmediate);
  for (const response of waiting) response.end('{"Shards":[]}');
  assert.deepEqual((await answered).Shards, []);
});

test("an answer larger than any page is given up before it fills the memory", async (t) => {
  const { read, seen } = await clientAnswered(t, (response) =>
    response.end(Buffer.alloc(64 * 1024 * 1024 + 1, " ")),
  );
  await assert.rejects(read(), { name: "ResponseTooLarge" });
  assert.deepEqual(seen, []);
});

test("what is thrown at the sight of an answer is what its call rejects with", async (t) => {
  const { client } = await clientAnswered(t, (response) => response.end("{}"));
  const needs = {
    region: "eu-west-1",
    service: "kinesis",
    connections: 1,
    endpoint: await client.config.endpoint?.().then(({ hostname, port }) => `http://${hostname}:${port}`),
  };
  const throwing = createLeanClient(
    {
      ...needs,
      seeAnswer: () => {
        throw new RangeError("not that");
      },
    },
    (settings) =>
      new KinesisClient({ ...settings, credentials: { accessKeyId: "key", secretAccessKey: "secret" } }),
  );
  t.after(() => throwing.destroy());
  await assert.rejects(
    throwing.send(abortable(new GetRecordsCommand({ ShardIterator: "i" }), NO_ABORT)),
    RangeError,
  );
});
