import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpFunction } from "../../src/functions/http.ts";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { InvocationOutcome } from "../../src/model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../../src/ports/function-target.ts";
import { OK, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

const NEVER = new AbortController().signal;
const EVENT = Buffer.from('{"Records":[]}');

function contextOf(timeoutMs = 20_000): InvocationContext {
  return {
    requestId: "01234567-89ab-4cde-8f01-23456789abcd",
    functionName: "orders",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    deadlineMs: 1_700_000_000_500 + timeoutMs,
    timeoutMs,
  };
}

interface Bench {
  readonly server: ScriptedServer;
  readonly target: FunctionTarget;
  invoke(timeoutMs?: number): Promise<InvocationOutcome>;
}

function withServer(
  sentence: string,
  answer: (socket: Socket, request: string, count: number) => void,
  prove: (bench: Bench) => Promise<void>,
  connections = 4,
): void {
  test(sentence, { timeout: 60_000 }, async () => {
    const server = await startScriptedServer(answer);
    const target = createHttpFunction({ url: server.url, connections });
    try {
      const invoke = (timeoutMs?: number) => target.invoke(EVENT, contextOf(timeoutMs), NEVER);
      await prove({ server, target, invoke });
    } finally {
      await target.close();
      await server.close();
    }
  });
}

let lastRequest = "";
withServer(
  "posts the event to the URL's path and query with Lambda's and W3C's headers",
  (socket, request) => {
    lastRequest = request;
    socket.write(OK);
  },
  async ({ invoke, server }) => {
    assert.equal((await invoke()).kind, "succeeded");
    const [head, body] = lastRequest.split("\r\n\r\n");
    assert.deepEqual(head?.split("\r\n"), [
      "POST /invoke?x=1 HTTP/1.1",
      `host: ${new URL(server.url).host}`,
      "connection: keep-alive",
      "content-type: application/json",
      "lambda-runtime-aws-request-id: 01234567-89ab-4cde-8f01-23456789abcd",
      "lambda-runtime-deadline-ms: 1700000020500",
      "lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:orders",
      "lambda-runtime-trace-id: Root=1-6553f100-89ab4cde8f0123456789abcd;Parent=8f0123456789abcd;Sampled=0",
      "traceparent: 00-6553f10089ab4cde8f0123456789abcd-8f0123456789abcd-00",
      "content-length: 14",
    ]);
    assert.equal(body, EVENT.toString());
  },
);

/** What the server does after it has the whole request, when the function may have run. */
const BROKEN: Readonly<Record<string, (socket: Socket) => void>> = {
  "closes without an answer": (socket) => socket.end(),
  "resets without an answer": (socket) => socket.resetAndDestroy(),
  "closes within the head": (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le"),
  "closes within the body": (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"),
  "closes within a chunk": (socket) =>
    socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n50\r\n{}"),
  "answers with rubbish": (socket) => socket.end("\u0000\u0001rubbish\r\n\r\n"),
  "answers with a bad chunk size": (socket) =>
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"),
  "answers with a head of 100 KB": (socket) =>
    socket.write(
      `HTTP/1.1 200 OK\r\n${`${"x-long: ".padEnd(1000, "y")}\r\n`.repeat(100)}content-length: 0\r\n\r\n`,
    ),
  "switches protocols": (socket) =>
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
};

for (const [what, answerBroken] of Object.entries(BROKEN)) {
  withServer(
    `takes a request for a function error, and sends it once, when the server ${what}`,
    (socket, _request, count) => {
      if (count === 1) answerBroken(socket);
      else socket.write(OK);
    },
    async ({ server, invoke }) => {
      const outcome = await invoke();
      assert.equal(outcome.kind, "functionError", JSON.stringify(outcome));
      assert.equal(server.requests, 1);
      assert.equal((await invoke()).kind, "succeeded");
    },
  );
}

withServer(
  "believes a refusal by its status even when the connection breaks within the body",
  (socket) => socket.end("HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\nsorry"),
  async ({ invoke }) => assert.equal((await invoke()).kind, "unavailable"),
);

withServer(
  "passes over informational responses",
  (socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${OK}`),
  async ({ invoke }) => assert.equal((await invoke()).kind, "succeeded"),
);

withServer(
  "joins a body that comes in pieces",
  (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2,\r\n");
    setImmediate(() => socket.write("2\r\n3]\r\n0\r\n\r\n"));
  },
  async ({ invoke }) => {
    const outcome = await invoke();
    assert.ok(outcome.kind === "succeeded");
    assert.equal(Buffer.from(outcome.payload).toString(), "[1,2,3]");
  },
);

withServer(
  "stops a chunked body of unknown size as soon as it is over the limit",
  (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const more = (): void => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", more);
    more();
  },
  async ({ invoke }) => {
    const outcome = await invoke();
    assert.ok(outcome.kind === "functionError");
    assert.equal(outcome.errorType, "Function.ResponseSizeTooLarge");
  },
);

withServer(
  "keeps an error's type and message bounded, and stops reading an endless error body",
  (socket) => {
    socket.write("HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const more = (): void => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", more);
    more();
  },
  async ({ invoke }) => assert.equal((await invoke()).kind, "functionError"),
);

withServer(
  "times out while a head or a body trickles in",
  (socket, _request, count) => {
    socket.write(count === 1 ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n");
    const timer = setInterval(() => socket.write(count === 1 ? "x-a: b\r\n" : "x"), 10);
    socket.on("close", () => clearInterval(timer));
  },
  async ({ invoke }) => {
    assert.deepEqual(await invoke(600), { kind: "timedOut" });
    assert.deepEqual(await invoke(600), { kind: "timedOut" });
  },
);

withServer(
  "reuses a connection from call to call",
  (socket) => socket.write(OK),
  async ({ server, invoke }) => {
    for (let call = 0; call < 20; call += 1) assert.equal((await invoke()).kind, "succeeded");
    assert.equal(server.connections, 1);
  },
);

for (const how of ["end", "resetAndDestroy"] as const) {
  withServer(
    `makes a new connection when the server has closed an idle one (${how})`,
    (socket) => {
      socket.write(OK);
      setImmediate(() => socket[how]());
    },
    async ({ server, invoke }) => {
      for (let call = 1; call <= 10; call += 1) {
        assert.equal((await invoke()).kind, "succeeded", `call ${call}`);
        await sleep(5);
      }
      assert.equal(server.connections, 10);
    },
  );
}

withServer(
  "never takes a request for a function error that was not sent, when the server closes behind each answer",
  (socket) => {
    socket.write(OK);
    socket.end();
  },
  async ({ server, invoke }) => {
    let succeeded = 0;
    for (let call = 0; call < 200; call += 1) {
      const before = server.requests;
      const outcome = await invoke();
      if (outcome.kind === "succeeded") succeeded += 1;
      else if (server.requests === before) assert.equal(outcome.kind, "unavailable", JSON.stringify(outcome));
    }
    assert.ok(succeeded > 0);
  },
);

withServer(
  "carries a thousand calls at once, each with its own answer, over a bounded number of connections",
  (socket, request) => {
    const body = request.slice(request.indexOf("\r\n\r\n") + 4);
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  },
  async ({ server, target }) => {
    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, (_, call) =>
        target.invoke(Buffer.from(`{"call":${call}}`), contextOf(), NEVER),
      ),
    );
    for (const [call, outcome] of outcomes.entries()) {
      assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
      assert.equal(Buffer.from(outcome.payload).toString(), `{"call":${call}}`);
    }
    assert.ok(server.connections <= 100, `${server.connections} connections`);
  },
  100,
);

withServer(
  "does not send a call whose deadline passes while it waits for a connection",
  () => {},
  async ({ server, invoke }) => {
    const [sent, waiting] = await Promise.all([invoke(1000), invoke(400)]);
    assert.deepEqual(sent, { kind: "timedOut" });
    assert.deepEqual(waiting, { kind: "throttled", retryAfterMs: undefined });
    assert.equal(server.requests, 1);
  },
  1,
);

withServer(
  "ends all calls of an aborted signal, sent or waiting, and frees their connections",
  (socket, _request, count) => {
    if (count > 2) socket.write(OK);
  },
  async ({ server, target, invoke }) => {
    const controller = new AbortController();
    const calls = Array.from({ length: 5 }, () => target.invoke(EVENT, contextOf(), controller.signal));
    while (server.requests < 2) await sleep(1);
    controller.abort();
    for (const outcome of await Promise.all(calls)) assert.equal(outcome.kind, "unavailable");
    assert.equal((await invoke()).kind, "succeeded");
    assert.equal(server.requests, 3);
  },
  2,
);

withServer(
  "does not send a call that was aborted while its connection was made",
  (socket) => socket.write(OK),
  async ({ server, target, invoke }) => {
    const controller = new AbortController();
    const call = target.invoke(EVENT, contextOf(), controller.signal);
    controller.abort();
    assert.equal((await call).kind, "unavailable");
    assert.equal((await invoke()).kind, "succeeded");
    assert.equal(server.requests, 1);
  },
  1,
);

test("tells each of many calls that wait for one connection when nothing listens", async () => {
  const gone = await startScriptedServer(() => {});
  await gone.close();
  const target = createHttpFunction({ url: gone.url, connections: 1 });
  const calls = Array.from({ length: 20 }, () => target.invoke(EVENT, contextOf(), NEVER));
  for (const outcome of await Promise.all(calls)) assert.equal(outcome.kind, "unavailable");
  await target.close();
});

test("says that a function is unavailable when nothing listens, and finds it when it does", async () => {
  const gone = await startScriptedServer(() => {});
  await gone.close();
  const target = createHttpFunction({ url: gone.url });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const outcome = await target.invoke(EVENT, contextOf(), NEVER);
    assert.ok(outcome.kind === "unavailable", JSON.stringify(outcome));
    assert.match(outcome.message, /ECONNREFUSED/);
  }
  await target.close();
});

test("says that a function is unavailable when its host has no address or its port does not speak TLS", async () => {
  const server = await startScriptedServer((socket) => socket.write(OK));
  const port = new URL(server.url).port;
  for (const url of ["http://no-such-host.invalid/", `https://127.0.0.1:${port}/`]) {
    const target = createHttpFunction({ url, connectTimeoutMs: 200 });
    assert.equal((await target.invoke(EVENT, contextOf(), NEVER)).kind, "unavailable", url);
    await target.close();
  }
  await server.close();
});

test("refuses a URL that is not http, that cannot be read or that holds a password", () => {
  for (const url of ["", "orders", "ftp://host/", "file:///etc/passwd", "http://user:secret@host/"]) {
    assert.throws(
      () => createHttpFunction({ url }),
      (error) => hasErrorCode(error, "ERR_MILLRACE_FUNCTION") && !error.message.includes("secret"),
      url,
    );
  }
  assert.throws(() => createHttpFunction({ url: "http://host/", connections: 0 }), /connections/);
});
