import assert from "node:assert/strict";
import { test } from "node:test";
import type { Handler } from "../../../src/functions/module-handler.ts";
import { ModuleInvocation } from "../../../src/functions/module-invocation.ts";
import type { RuntimeMessage } from "../../../src/functions/module-messages.ts";
import { installStreaming, type StreamedResponse } from "../../../src/functions/streaming-handler.ts";

type Streaming = (event: unknown, stream: StreamedResponse, context: object) => unknown;

declare const awslambda: {
  streamifyResponse(handler: Streaming): Handler;
  HttpResponseStream: { from(stream: StreamedResponse, head: object): StreamedResponse };
};

installStreaming();

test("what a streaming handler writes is its response, in order, once it has returned and ended it", async () => {
  let leave = () => {};
  const { answers } = run(async (event, stream) => {
    stream.write("one,");
    await quiet();
    stream.write(Buffer.from("two,"));
    stream.end(JSON.stringify(event));
    await new Promise<void>((resolve) => {
      leave = resolve;
    });
    return "ignored";
  });
  await quiet();
  assert.deepEqual(answers, []);
  leave();
  await quiet();
  assert.deepEqual(answers, ['returned one,two,{"order":1}']);
});

test("an HTTP response has its head before eight zero bytes and the body", async () => {
  const head = { statusCode: 201, headers: { "x-shop": "köln" } };
  const { answers, quiet } = run(async (_event, stream) => {
    const body = awslambda.HttpResponseStream.from(stream, head);
    body.write("sold ");
    body.end("out");
  });
  await quiet();
  assert.deepEqual(answers, [`returned ${JSON.stringify(head)}${"\0".repeat(8)}sold out`]);
  const empty = run(async (_event, stream) => {
    awslambda.HttpResponseStream.from(stream, head).end();
  });
  await quiet();
  assert.deepEqual(empty.answers, [`returned ${JSON.stringify(head)}${"\0".repeat(8)}`]);
});

test("a response of no bytes is empty", async () => {
  const { answers, quiet } = run(async (_event, stream) => void stream.end());
  await quiet();
  assert.deepEqual(answers, ["returned "]);
});

test("a streaming handler that throws fails, also behind its first bytes", async () => {
  const late = run(async (_event, stream) => {
    stream.write("half of ");
    throw new TypeError("no price");
  });
  const early = run(() => {
    throw new RangeError("no event");
  });
  await late.quiet();
  assert.deepEqual(late.answers, ["failed TypeError: no price"]);
  assert.deepEqual(early.answers, ["failed RangeError: no event"]);
});

test("more than a response may have is too large, and is not kept", async () => {
  const { answers, quiet } = run(async (_event, stream) => {
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    for (let each = 0; each < 8; each++) stream.write(megabyte);
    stream.end();
  });
  await quiet();
  assert.match(answers.join("\n"), /^failed Function\.ResponseSizeTooLarge: /);
});

test("a stream that nobody can end any more is told", async () => {
  const { answers, quiet, invocation } = run(async (_event, stream) => void stream.write("half"));
  await quiet();
  invocation.onLoopEmpty();
  await quiet();
  assert.match(answers.join("\n"), /^failed Runtime\.NodeJsExit: .*end\(\) was not called/);
});

function run(handler: Streaming) {
  const answers: string[] = [];
  const invocation = new ModuleInvocation(
    {
      ...{ ordinal: 0, payload: new TextEncoder().encode('{"order":1}'), requestId: "id" },
      ...{ functionArn: "arn", deadlineMs: 0, traceId: "", clientContext: undefined },
    },
    (message) => answers.push(told(message)),
  );
  const description = { path: "", exportName: "", functionName: "f", memoryMb: 128 };
  const names = { logGroupName: "", logStreamName: "" };
  invocation.start(awslambda.streamifyResponse(handler), { ...description, ...names });
  return { answers, invocation, quiet };
}

function told(message: RuntimeMessage): string {
  if (message.kind === "returned") return `returned ${Buffer.from(message.payload).toString()}`;
  return message.kind === "failed"
    ? `failed ${message.failure.errorType}: ${message.failure.message}`
    : message.kind;
}

/** Streams hand on in several turns. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
