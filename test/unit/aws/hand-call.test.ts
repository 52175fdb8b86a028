import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { GetRecordsCommand, type GetRecordsCommandOutput, KinesisClient } from "@aws-sdk/client-kinesis";
import { HandCalls } from "../../../src/aws/hand-call.ts";
import { createLeanClient } from "../../../src/aws/lean-client.ts";
import { chooseReadPath } from "../../../src/aws/read-path.ts";

const NO_ABORT = new AbortController().signal;

interface Heard {
  readonly request: IncomingMessage;
  readonly body: string;
}

/** Asks `service` for records, each answer read as what the first who read it makes of it. */
async function askers(t: TestContext, service: (heard: Heard, response: ServerResponse) => void) {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    heard.push({ request, body });
    service({ request, body }, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const needs = { region: "eu-west-1", service: "kinesis", connections: 2, endpoint };
  const credentials = { accessKeyId: "key", secretAccessKey: "secret", sessionToken: "token" };
  const client = createLeanClient(needs, (settings) => new KinesisClient({ ...settings, credentials }));
  const calls = new HandCalls(client);
  t.after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  const question = {
    body: '{"ShardIterator":"i"}',
    command: () => new GetRecordsCommand({ ShardIterator: "i" }),
    send: (command: GetRecordsCommand) => client.send(command),
    read: ({ body }: { readonly body: Buffer }) => `by hand: ${body}`,
    take: ({ NextShardIterator }: GetRecordsCommandOutput) => `by the SDK: ${NextShardIterator}`,
  };
  return { heard, ask: () => calls.ask("GetRecords", question, NO_ABORT), client };
}

test("a call is sent where and as the SDK would send it, once, and its answer read by hand", async (t) => {
  const { heard, ask, client } = await askers(t, (_heard, response) => response.end("{}"));
  assert.equal(await ask(), "by hand: {}");
  assert.equal(heard.length, 1);
  await client.send(new GetRecordsCommand({ ShardIterator: "i" }));
  const [byHand, bySdk] = heard;
  assert(byHand !== undefined && bySdk !== undefined);
  assert.equal(byHand.body, bySdk.body);
  assert.equal(byHand.request.url, bySdk.request.url);
  for (const name of ["host", "x-amz-target", "content-type", "x-amz-security-token", "content-length"])
    assert.equal(byHand.request.headers[name], bySdk.request.headers[name], name);
  const scope = /Credential=([^,]+)/;
  assert.equal(
    scope.exec(String(byHand.request.headers.authorization))?.[1],
    scope.exec(String(bySdk.request.headers.authorization))?.[1],
  );
});

test("a refusal is the SDK's to read, without asking once more", async (t) => {
  const { heard, ask } = await askers(t, (_heard, response) => {
    response.writeHead(400).end('{"__type":"ExpiredIteratorException","message":"too late"}');
  });
  await assert.rejects(ask(), { name: "ExpiredIteratorException", $fault: "client" });
  assert.equal(heard.length, 1);
  await assert.rejects(ask(), { name: "ExpiredIteratorException" });
  assert.equal(heard.length, 2);
});

test("a request that was refused for this host's clock is sent once more with the service's time, and later ones have it", async (t) => {
  const serviceMs = Date.now() + 3_600_000;
  const { heard, ask } = await askers(t, ({ request }, response) => {
    response.setHeader("date", new Date(serviceMs).toUTCString());
    const hour = String(request.headers["x-amz-date"]).slice(9, 11);
    if (hour === new Date(serviceMs).toISOString().slice(11, 13)) response.end('{"NextShardIterator":"n"}');
    else response.writeHead(403).end('{"__type":"InvalidSignatureException","message":"Signature expired"}');
  });
  assert.equal(await ask(), "by the SDK: n");
  assert.equal(heard.length, 2);
  assert.equal(await ask(), 'by hand: {"NextShardIterator":"n"}');
  assert.equal(heard.length, 3);
});

test("on the SDK's way everything is the SDK's", async (t) => {
  chooseReadPath("sdk");
  t.after(() => chooseReadPath("hand"));
  const { heard, ask } = await askers(t, (_heard, response) => response.end('{"NextShardIterator":"n"}'));
  assert.equal(await ask(), "by the SDK: n");
  assert.equal(heard.length, 1);
});

test("a place that cannot be found is the SDK's error, and is looked for again", async () => {
  const credentials = async () => {
    throw Object.assign(new Error("none"), { name: "CredentialsProviderError" });
  };
  const needs = { region: "eu-west-1", service: "kinesis", connections: 1, endpoint: "http://127.0.0.1:1" };
  const client = createLeanClient(needs, (settings) => new KinesisClient({ ...settings, credentials }));
  const calls = new HandCalls(client);
  const question = {
    body: "{}",
    command: () => new GetRecordsCommand({ ShardIterator: "i" }),
    send: (command: GetRecordsCommand) => client.send(command),
    read: () => "read",
    take: () => "taken",
  };
  for (let tries = 0; tries < 2; tries++) {
    await assert.rejects(calls.ask("GetRecords", question, NO_ABORT), { name: "CredentialsProviderError" });
  }
  client.destroy();
});
