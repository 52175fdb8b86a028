import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createMessageFactory } from "../../../../connectors/sqs/event.ts";
import { createSdkApi } from "../../../../connectors/sqs/sdk-api.ts";
import { chooseReadPath } from "../../../../src/aws/read-path.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { useAwsEnvironment } from "../../../servers/aws-environment.ts";
import { ARN } from "./fake-queue.ts";

const RECEIVE = { messagesMax: 10, waitSeconds: 20, visibilitySeconds: 30 };
const NO_ABORT = new AbortController().signal;
const EMPTY = "{}";

interface Call {
  readonly action: string;
  readonly request: IncomingMessage;
  readonly body: string;
  answer(text: string): void;
}

/** An API on a queue whose calls `onCall` answers, or leaves open. */
async function openApi(t: TestContext, onCall: (call: Call) => void) {
  const server = createServer((request, response) => void hear(request, response, onCall));
  await listen(t, server, "127.0.0.1");
  return apiOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function apiOf(t: TestContext, endpoint: string) {
  useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: endpoint });
  const api = createSdkApi(ARN);
  t.after(() => api.close());
  return api;
}

async function listen(t: TestContext, server: Server, host: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
}

async function hear(
  request: IncomingMessage,
  response: ServerResponse,
  onCall: (call: Call) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
  const answer = (text: string) => void response.end(text);
  if (action === "GetQueueUrl") answer('{"QueueUrl":"http://elsewhere.invalid/123456789012/my-queue"}');
  else onCall({ action, request, body: Buffer.concat(chunks).toString(), answer });
}

function messageOf(body: string): string {
  return JSON.stringify({ Messages: [{ MessageId: "id", ReceiptHandle: "receipt", Body: body }] });
}

test("an abort ends its own call and connection, and no other call that runs at once", async (t) => {
  const calls: Call[] = [];
  const both = Promise.withResolvers<void>();
  const api = await openApi(t, (call) => {
    calls.push(call);
    if (calls.length === 2) both.resolve();
  });
  const abort = new AbortController();
  const first = rejectsWith("ERR_MILLRACE_ABORTED", () => api.receive(RECEIVE, abort.signal));
  await new Promise<void>((resolve) => {
    const wait = () => (calls.length === 1 ? resolve() : setImmediate(wait));
    wait();
  });
  const second = api.receive(RECEIVE, NO_ABORT);
  await both.promise;
  const [one, two] = calls;
  assert(one !== undefined && two !== undefined);
  const isCut = once(one.request.socket, "close");
  abort.abort();
  await first;
  await isCut;
  two.answer(messageOf("still here"));
  assert.deepEqual(
    (await second).map(({ Body }) => Body),
    ["still here"],
  );
});

test("closing ends calls that nobody aborts", async (t) => {
  const heard = Promise.withResolvers<void>();
  const api = await openApi(t, () => heard.resolve());
  const call = rejectsWith("ERR_MILLRACE_ABORTED", () => api.deleteBatch(["receipt"]));
  await heard.promise;
  api.close();
  await call;
});

test("a call whose signal has aborted before is not made", async (t) => {
  const calls: Call[] = [];
  const api = await openApi(t, (call) => calls.push(call));
  await rejectsWith("ERR_MILLRACE_ABORTED", () => api.receive(RECEIVE, AbortSignal.abort()));
  assert.equal(calls.length, 0);
});

test("a connection that breaks is an unavailable queue", async (t) => {
  const api = await openApi(t, ({ request }) => request.socket.destroy());
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => api.receive(RECEIVE, NO_ABORT));
  assert.match(error.message, /sqs:ReceiveMessage on .* failed \(ECONNRESET\)/);
});

test("a connection that breaks inside of a response is an unavailable queue", async (t) => {
  const api = await openApi(t, ({ request }) => {
    const socket = request.socket as Socket;
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", () => socket.destroy());
  });
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => api.receive(RECEIVE, NO_ABORT));
  assert.match(error.message, /failed \(ECONNRESET\)/);
});

test("a host of which no address answers says so", async (t) => {
  const server = createServer();
  await listen(t, server, "localhost");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const api = apiOf(t, `http://localhost:${port}`);
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => api.receive(RECEIVE, NO_ABORT));
  assert.match(error.message, /ECONNREFUSED.*Nothing answers/);
});

test("a refusal of the service keeps its code, status and request id", async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(403, { "x-amzn-requestid": "request-1" });
    response.end('{"__type":"com.amazon.coral.service#AccessDeniedException","message":"secret"}');
  });
  await listen(t, server, "127.0.0.1");
  const api = apiOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => api.receive(RECEIVE, NO_ABORT));
  assert.match(error.message, /AccessDeniedException, HTTP 403, request request-1\)\. Allow sqs:GetQueueUrl/);
});

test("a response without end is given up", async (t) => {
  const api = await openApi(t, ({ request }) => {
    const socket = request.socket as Socket;
    const megabyte = Buffer.alloc(1024 * 1024, 0x20);
    socket.on("error", () => {}).write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    const more = () => {
      if (!socket.destroyed) socket.write(megabyte, more);
    };
    more();
  });
  const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => api.receive(RECEIVE, NO_ABORT));
  assert.match(error.message, /failed \(ResponseTooLarge\)/);
});

test("what is sent is signed as AWS wants it, call after call", async (t) => {
  const calls: Call[] = [];
  const api = await openApi(t, (call) => {
    calls.push(call);
    call.answer(call.action === "ReceiveMessage" ? EMPTY : '{"Successful":[{"Id":"0"}]}');
  });
  await Promise.all([
    api.receive(RECEIVE, NO_ABORT),
    api.receive({ ...RECEIVE, messagesMax: 3 }, NO_ABORT),
    api.deleteBatch(["receipt – with é"]),
    api.changeVisibilityBatch(["receipt"], 7),
  ]);
  assert.equal(calls.length, 4);
  for (const { request, body } of calls) {
    assert.equal(signatureOf(request, body, "test"), request.headers.authorization);
    assert.equal(request.headers["user-agent"], "millrace");
  }
});

/** Signature Version 4 by its specification, of the headers that the request says it signed. */
function signatureOf(request: IncomingMessage, body: string, secret: string): string {
  const claim = /^AWS4-HMAC-SHA256 Credential=(\w+)\/([^,]+), SignedHeaders=([^,]+), Signature=/.exec(
    String(request.headers.authorization),
  );
  const [head = "", , scope = "", names = ""] = claim ?? [];
  const signed = names.split(";");
  for (const name of ["host", "x-amz-date", "x-amz-target"]) assert(signed.includes(name), name);
  const headers = signed.map((name) => `${name}:${String(request.headers[name]).trim()}\n`).join("");
  const canonical = [request.method, request.url, "", headers, names, sha256(body)].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secret}`);
  return `${head}${hmac(key, toSign).toString("hex")}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

for (const written of ["__proto__", "\\u005f_proto__", "constructor"]) {
  test(`an attribute whose name is written as ${written} is delivered with its message, beside healthy ones`, (t) =>
    deliversAttribute(t, written));

  test(`so is one that the SDK reads: ${written}`, (t) => {
    chooseReadPath("sdk");
    t.after(() => chooseReadPath("hand"));
    return deliversAttribute(t, written);
  });
}

async function deliversAttribute(t: TestContext, written: string): Promise<void> {
  const attribute = '{"StringValue":"v","DataType":"String"}';
  const odd = `{"MessageId":"odd","ReceiptHandle":"r1","Body":"odd \\" __proto__","MessageAttributes":{"a":${attribute},"${written}":${attribute}}}`;
  const plain = '{"MessageId":"plain","ReceiptHandle":"r2","Body":"plain"}';
  const api = await openApi(t, ({ answer }) => answer(`{"Messages":[${odd},${plain}]}`));
  const toMessage = createMessageFactory(ARN, false);
  const messages = (await api.receive(RECEIVE, NO_ABORT)).map(toMessage);
  assert.deepEqual(
    messages.map(({ messageId }) => messageId),
    ["odd", "plain"],
  );
  assert.deepEqual(
    messages.map(({ damage }) => damage),
    [undefined, undefined],
  );
  const [element] = messages.map((message) => message.element.toString());
  const name = JSON.parse(`"${written}"`);
  assert.ok(element?.includes(`"messageAttributes":{"a":{"stringValue":"v"`), element);
  assert.ok(element?.includes(`"${name}":{"stringValue":"v"`), element);
}

test("a message that is incomplete costs itself: its neighbours are received", async (t) => {
  const api = await openApi(t, ({ answer }) =>
    answer(
      '{"Messages":[{"MessageId":"m1","Body":"no receipt"},{"MessageId":"m2","ReceiptHandle":"r2","Body":"b"},{"Body":"nothing"}]}',
    ),
  );
  const messages = (await api.receive(RECEIVE, NO_ABORT)).map(createMessageFactory(ARN, false));
  assert.deepEqual(
    messages.map(({ damage }) => damage !== undefined),
    [true, false, true],
  );
});
