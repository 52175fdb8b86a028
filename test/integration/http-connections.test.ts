import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createHttpFunction, type HttpFunctionOptions } from "../../src/functions/http.ts";
import { STEP_ITEMS_MAX, turn } from "../../src/lib/steps.ts";
import { createManualClock } from "../unit/functions/manual-clock.ts";
import { OK, startScriptedServer } from "./scripted-server.ts";

const NEVER = new AbortController().signal;
const CONTEXT = {
  requestId: "01234567-89ab-4cde-8f01-23456789abcd",
  functionName: "orders",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
  deadlineMs: 1_700_000_020_500,
  timeoutMs: 20_000,
};

type Answer = (socket: Socket, ofSocket: number, inAll: number) => void;

/** `answer` gets how many requests have come over the socket and in all, this one included. */
async function start(t: TestContext, answer: Answer, options: Partial<HttpFunctionOptions> = {}) {
  const served = new Map<Socket, number>();
  const server = await startScriptedServer((socket, _request, count) => {
    const ofSocket = (served.get(socket) ?? 0) + 1;
    served.set(socket, ofSocket);
    answer(socket, ofSocket, count);
  });
  const target = createHttpFunction({ url: server.url, connections: 1, ...options });
  t.after(async () => {
    await target.close();
    await server.close();
  });
  const invoke = () => target.invoke(Buffer.from('{"Records":[]}'), CONTEXT, NEVER);
  return {
    invoke,
    sockets: () => served.size,
    requests: () => [...served.values()].reduce((a, b) => a + b, 0),
  };
}

for (const [how, end] of [
  ["ends", (socket: Socket) => void socket.end()],
  ["is reset", (socket: Socket) => void socket.resetAndDestroy()],
] as const) {
  test(`sends a request again whose idle connection ${how} as it is sent`, async (t) => {
    const { invoke, sockets } = await start(t, (socket, ofSocket, inAll) =>
      ofSocket === 2 && inAll === 2 ? end(socket) : void socket.write(OK),
    );
    assert.equal((await invoke()).kind, "succeeded");
    assert.equal((await invoke()).kind, "succeeded");
    assert.equal(sockets(), 2);
  });
}

test("finds out a server that crashes on a request, however often its connections were used", async (t) => {
  const { invoke, requests } = await start(t, (socket, _ofSocket, inAll) =>
    inAll === 1 ? void socket.write(OK) : void socket.resetAndDestroy(),
  );
  assert.equal((await invoke()).kind, "succeeded");
  const outcome = await invoke();
  assert.equal(outcome.kind === "functionError" && outcome.errorType, "Function.ConnectionLost");
  assert.equal(requests(), 3);
});

test("takes a connection that ends on its first request for a failure of the function", async (t) => {
  const { invoke, requests } = await start(t, (socket) => void socket.end());
  assert.equal((await invoke()).kind, "functionError");
  assert.equal(requests(), 1);
});

test("takes a used connection that ends after the function had time to run for a failure of it", async (t) => {
  const clock = createManualClock();
  const { invoke, requests } = await start(
    t,
    (socket, ofSocket) => {
      if (ofSocket === 1) return void socket.write(OK);
      clock.advance(500);
      socket.end();
    },
    { clock },
  );
  assert.equal((await invoke()).kind, "succeeded");
  assert.equal((await invoke()).kind, "functionError");
  assert.equal(requests(), 2);
});

test("does not send a request again whose answer had begun", async (t) => {
  const { invoke, requests } = await start(t, (socket, ofSocket) => {
    if (ofSocket === 1) return void socket.write(OK);
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
  });
  assert.equal((await invoke()).kind, "succeeded");
  assert.equal((await invoke()).kind, "functionError");
  assert.equal(requests(), 2);
});

test("makes a busy connection anew when it has reached its age", async (t) => {
  const clock = createManualClock();
  const { invoke, sockets } = await start(t, (socket) => void socket.write(OK), {
    clock,
    connectionAgeMs: 1_000,
  });
  for (const expected of [1, 1, 1, 2, 2]) {
    assert.equal((await invoke()).kind, "succeeded");
    assert.equal(sockets(), expected);
    clock.advance(700);
  }
});

test("keeps a connection that is younger", async (t) => {
  const clock = createManualClock();
  const { invoke, sockets } = await start(t, (socket) => void socket.write(OK), {
    clock,
    connectionAgeMs: 60_000,
  });
  for (let call = 0; call < 20; call++) {
    assert.equal((await invoke()).kind, "succeeded");
    clock.advance(1_000);
  }
  assert.equal(sockets(), 1);
});

test("takes of a body in pieces of one byte no more in one turn of the event loop than a step may have", async (t) => {
  const size = 300_000;
  const { invoke } = await start(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write(`${"1\r\n1\r\n".repeat(size)}0\r\n\r\n`);
  });
  let [itemsMax, items] = [0, 0];
  const stop = turn.watch((_bytes, count) => {
    itemsMax = Math.max(itemsMax, count);
    items += count;
  });
  const outcome = await invoke();
  stop();
  assert.equal(outcome.kind === "succeeded" && outcome.payload.length, size);
  assert.ok(
    itemsMax <= STEP_ITEMS_MAX && items >= size - STEP_ITEMS_MAX,
    `${itemsMax} of ${items} pieces in a turn`,
  );
});

test("reads a body in pieces of one byte into the memory of its bytes", async (t) => {
  const size = 200_000;
  const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  const { invoke } = await start(t, (socket) => {
    socket.write(head);
    socket.write(`1\r\n"\r\n${"1\r\nx\r\n".repeat(size)}1\r\n"\r\n0\r\n\r\n`);
  });
  const outcome = await invoke();
  assert.equal(outcome.kind, "succeeded");
  if (outcome.kind !== "succeeded") return;
  assert.equal(Buffer.from(outcome.payload).toString(), `"${"x".repeat(size)}"`);
  // Not each piece with the 64 KiB that the socket had read with it.
  assert.ok(outcome.payload.buffer.byteLength <= 3 * size, `${outcome.payload.buffer.byteLength} bytes`);
});

const HINT = "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n";

test("an answer behind a hundred informational ones counts", async (t) => {
  const { invoke } = await start(t, (socket) => void socket.write(HINT.repeat(100) + OK));
  assert.equal((await invoke()).kind, "succeeded");
});

for (const [what, hints] of [
  ["without end", (socket: Socket) => sendWithoutEnd(socket, HINT.repeat(1_000))],
  ["and then the answer", (socket: Socket) => void socket.write(HINT.repeat(101) + OK)],
] as const) {
  test(`a server that sends informational answers ${what} loses its call at the hundredth, and not at its deadline`, async (t) => {
    const { invoke } = await start(t, (socket, _ofSocket, inAll) =>
      inAll === 1 ? hints(socket) : void socket.write(OK),
    );
    const outcome = await invoke();
    assert.ok(outcome.kind === "functionError");
    assert.equal(outcome.errorType, "Function.ConnectionLost");
    assert.match(outcome.message, /1xx answers without end/);
    assert.equal((await invoke()).kind, "succeeded", "the next call has a connection of its own");
  });
}

function sendWithoutEnd(socket: Socket, piece: string): void {
  const send = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", send);
  send();
}
