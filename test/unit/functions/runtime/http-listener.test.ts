import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import type { Verdict } from "../../../../src/functions/runtime/environment-state.ts";
import { HTTP_LISTENER } from "../../../../src/functions/runtime/http-listener.ts";
import type {
  AnswerStream,
  ExtensionsApi,
  HeldNext,
  RuntimeAnswer,
  RuntimeApi,
  RuntimeReport,
} from "../../../../src/functions/runtime/listener.ts";

const EVENT = {
  requestId: "id-1",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders:live",
  deadlineMs: 1_796_018_727_983.4,
  traceId: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
  clientContext: '{"custom":{"order":"1"}}',
  payload: Buffer.from('{"order":1}'),
};

/** An environment that does as it is told, and what it heard. */
class ScriptedApi implements RuntimeApi {
  verdict: Verdict = "done";
  stateName = "Running";
  extensions: ExtensionsApi | undefined;
  held: HeldNext | undefined;
  stream: AnswerStream | undefined;
  readonly heard: (RuntimeAnswer | RuntimeReport | string)[] = [];

  next(held: HeldNext): Verdict {
    if (this.verdict === "done") held.deliver(EVENT);
    return this.verdict;
  }

  hungUp(): void {
    this.heard.push("hung up");
  }

  beginAnswer(id: string): Verdict {
    this.heard.push(id);
    return this.verdict;
  }

  endAnswer(_id: string, answer: RuntimeAnswer, reply: (verdict: Verdict) => void): void {
    this.heard.push(answer);
    reply("done");
  }

  openStream(_id: string, contentType: string | undefined): AnswerStream | undefined {
    if (this.stream !== undefined) this.heard.push(`stream of ${contentType}`);
    return this.stream;
  }

  breakAnswer(): void {
    this.heard.push("broken");
  }

  initError(report: RuntimeReport): Verdict {
    this.heard.push(report);
    return this.verdict;
  }
}

async function startListener(t: TestContext) {
  const api = new ScriptedApi();
  const opened = await new Promise<string>((resolve, reject) => {
    HTTP_LISTENER.open(api, (listener) => {
      if (listener instanceof Error) return reject(listener);
      t.after(() => listener.close());
      resolve(listener.address);
    });
  });
  const call = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://${opened}/2018-06-01/runtime${path}`, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    call(path, { method: "POST", body, headers });
  return { api, call, post, address: opened };
}

test("an event comes with Lambda's headers, and those that are empty are left out", async (t) => {
  const { call } = await startListener(t);
  const { status, headers, text } = await call("/invocation/next");
  assert.deepEqual([status, text], [200, '{"order":1}']);
  const told = [...headers].filter(([name]) => name.startsWith("lambda-runtime-")).sort();
  assert.deepEqual(told, [
    ["lambda-runtime-aws-request-id", "id-1"],
    ["lambda-runtime-client-context", '{"custom":{"order":"1"}}'],
    ["lambda-runtime-deadline-ms", "1796018727983"],
    ["lambda-runtime-invoked-function-arn", EVENT.functionArn],
    ["lambda-runtime-trace-id", EVENT.traceId],
  ]);
});

test("answers are taken with 202 and refused in AWS's words", async (t) => {
  const { api, call, post } = await startListener(t);
  const taken = await post("/invocation/id-1/response", '"done"');
  assert.deepEqual([taken.status, taken.text], [202, '{"status":"OK"}']);
  assert.deepEqual(api.heard.at(-1), { kind: "response", body: Buffer.from('"done"') });
  api.verdict = "wrongId";
  const wrong = await post("/invocation/id-2/response", "1");
  assert.deepEqual(
    [wrong.status, JSON.parse(wrong.text)],
    [400, { errorMessage: "Invalid request ID", errorType: "InvalidRequestID" }],
  );
  api.verdict = "notAllowed";
  api.stateName = "Ready";
  const text =
    "State transition from Ready to Ready failed for runtime. Error: State transition is not allowed";
  const early = await call("/invocation/next");
  assert.deepEqual(
    [early.status, JSON.parse(early.text)],
    [403, { errorMessage: text, errorType: "InvalidStateTransition" }],
  );
});

test("an error comes with its type, and a stream's error behind its end", async (t) => {
  const { api, post } = await startListener(t);
  const type = { "Lambda-Runtime-Function-Error-Type": "Runtime.MyError" };
  assert.equal((await post("/invocation/id-1/error", "{}", type)).status, 202);
  assert.deepEqual(api.heard.at(-1), {
    kind: "error",
    body: Buffer.from("{}"),
    errorType: "Runtime.MyError",
  });
  api.stateName = "Started";
  assert.equal((await post("/init/error", '{"errorType":"E"}', type)).status, 202);
  assert.deepEqual(api.heard.at(-1), {
    body: Buffer.from('{"errorType":"E"}'),
    errorType: "Runtime.MyError",
  });
});

test("a response that is too large is answered with 413, and the connection goes on", async (t) => {
  const { api, post } = await startListener(t);
  const large = await post("/invocation/id-1/response", "x".repeat(6_291_557));
  const text = "Exceeded maximum allowed payload size (6291556 bytes).";
  assert.deepEqual(
    [large.status, JSON.parse(large.text)],
    [413, { errorMessage: text, errorType: "RequestEntityTooLarge" }],
  );
  assert.deepEqual(api.heard.at(-1), { kind: "tooLarge" });
  assert.equal((await post("/invocation/id-1/response", "x".repeat(6_291_556))).status, 202);
});

test("an unknown mode of responses fails the call and is refused", async (t) => {
  const { api, post } = await startListener(t);
  const mode = { "Lambda-Runtime-Function-Response-Mode": "sideways" };
  const refused = await post("/invocation/id-1/response", "1", mode);
  assert.deepEqual(
    [refused.status, JSON.parse(refused.text).errorType],
    [400, "InvalidFunctionResponseMode"],
  );
  const heard = api.heard.at(-1);
  assert.ok(typeof heard === "object" && "errorType" in heard);
  assert.equal(heard.errorType, "Runtime.InvalidResponseModeHeader");
});

test("a runtime that waits for its restoration goes on at once, and other paths are not there", async (t) => {
  const { call } = await startListener(t);
  const restored = await call("/restore/next");
  assert.deepEqual([restored.status, restored.text], [200, ""]);
  assert.equal((await call("/nothing")).status, 404);
});

/** A stream's body in pieces, and what stands behind its end. */
async function postStream(address: string, pieces: readonly string[], trailers = "") {
  const [host = "", port] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  const head = [
    "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1",
    `Host: ${address}`,
    "Content-Type: text/html",
    "Transfer-Encoding: chunked",
    "Lambda-Runtime-Function-Response-Mode: streaming",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  for (const piece of pieces) socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  socket.write(`0\r\n${trailers}\r\n`);
  const [answer] = await once(socket, "data");
  socket.destroy();
  return String(answer).split("\r\n", 1)[0];
}

test("a stream goes on as it comes, and its end is told with an error or without", async (t) => {
  const { api, address } = await startListener(t);
  const stream = new KeptStream();
  api.stream = stream;
  assert.equal(await postStream(address, ["one, ", "two"]), "HTTP/1.1 202 Accepted");
  assert.equal(stream.text, "one, two");
  assert.deepEqual(api.heard, ["id-1", "stream of text/html", { kind: "streamed" }]);
  const body = Buffer.from('{"errorType":"E"}');
  const trailers = `Lambda-Runtime-Function-Error-Type: E\r\nLambda-Runtime-Function-Error-Body: ${body.toString("base64")}\r\n`;
  assert.equal(await postStream(address, ["half"], trailers), "HTTP/1.1 202 Accepted");
  assert.deepEqual(api.heard.at(-1), { kind: "error", body, errorType: "E" });
});

test("a stream that nobody takes while it is written is collected", async (t) => {
  const { api, address } = await startListener(t);
  assert.equal(await postStream(address, ["one, ", "two"]), "HTTP/1.1 202 Accepted");
  assert.deepEqual(api.heard, ["id-1", { kind: "response", body: Buffer.from("one, two") }]);
});

test("a stream that is too long is answered with 413, and ends where it is full", async (t) => {
  const { api, address } = await startListener(t);
  const stream = new KeptStream();
  stream.isFull = true;
  api.stream = stream;
  assert.equal(await postStream(address, ["one, ", "two"]), "HTTP/1.1 413 Payload Too Large");
  assert.deepEqual(api.heard.at(-1), { kind: "streamed" });
});

class KeptStream implements AnswerStream {
  text = "";
  isFull = false;

  write(chunk: Uint8Array): undefined {
    this.text += Buffer.from(chunk).toString();
  }
}
