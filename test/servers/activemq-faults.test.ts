import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createSecureContext } from "node:tls";
import type { Message } from "rhea";
import { createRheaClient } from "../../connectors/activemq/rhea-client.ts";
import { openActivemqSource } from "../../connectors/activemq/source.ts";
import { faultOf, isPassingFault } from "../../src/model/errors.ts";
import type { QueueMessage, QueueSource } from "../../src/ports/queue-source.ts";
import { activemqSettingsOf, messagesOf } from "../contract/activemq-harness.ts";
import { NO_ABORT, receiveAll } from "../contract/queue-source-harness.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { ACTIVEMQ_PASSWORD, ACTIVEMQ_STRANGER, ACTIVEMQ_USER, startActivemq } from "./activemq.ts";
import { activemqQueue, sendAll } from "./activemq-queues.ts";

const server = await startActivemq();
after(() => server.close());

const HOLD_MS = 600_000;

function bodies(source: QueueSource, messages: readonly QueueMessage[]): readonly string[] {
  const event: unknown = JSON.parse(Buffer.from(source.events.encode(messages)).toString());
  return messagesOf(event).map(({ data }) => Buffer.from(data, "base64").toString());
}

/** Asks until something comes, through failures that pass. */
async function receivedAtLast(source: QueueSource): Promise<readonly QueueMessage[]> {
  for (let asks = 0; asks < 30; asks++) {
    try {
      const messages = await source.receive({ messagesMax: 10, waitMs: 1_000, holdMs: HOLD_MS }, NO_ABORT);
      if (messages.length > 0) return messages;
    } catch (error) {
      assert.ok(isPassingFault(error), String(error));
    }
  }
  return [];
}

function open(user: string, password: string, name = activemqQueue(server).name) {
  const options = { ...server.options(user, password), place: name };
  return openActivemqSource(activemqSettingsOf(name), createRheaClient(options));
}

describe("ActiveMQ under faults", { timeout: 240_000 }, () => {
  test("a wrong password is told as one, without it", async () => {
    const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () =>
      open(ACTIVEMQ_USER, "wrong-canary"),
    );
    assert.equal(faultOf(error), "credentials");
    assert.ok(!String(error).includes("wrong-canary"), "no secret in the message");
  });

  test("a user who may not read is told as denied", async () => {
    const error = await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () =>
      open(ACTIVEMQ_STRANGER, ACTIVEMQ_PASSWORD),
    );
    assert.equal(faultOf(error), "denied");
  });

  for (const [what, onSocket] of [
    ["hangs", () => undefined],
    ["resets", (socket: Socket) => socket.resetAndDestroy()],
    ["speaks another protocol", (socket: Socket) => socket.end("HTTP/1.1 503 Busy\r\n\r\n")],
  ] as const) {
    test(`a broker that ${what} when it is opened is away for now`, async () => {
      const sockets = new Set<Socket>();
      const deaf = createServer((socket) => {
        sockets.add(socket.on("error", () => undefined));
        onSocket(socket);
      });
      await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
      const address = deaf.address();
      assert(address !== null && typeof address === "object");
      const endpoints = [`amqp://127.0.0.1:${address.port}`];
      const options = { ...server.options(), endpoints, place: "deaf" };
      try {
        await assert.rejects(
          openActivemqSource(activemqSettingsOf("deaf"), createRheaClient(options)),
          isPassingFault,
        );
      } finally {
        for (const socket of sockets) socket.destroy();
        deaf.close();
      }
    });
  }

  for (const [authority, isTrusted] of [
    ["root", true],
    ["other-root", false],
  ] as const) {
    test(`by TLS a broker is ${isTrusted ? "read" : "refused"} whose authority is ${isTrusted ? "" : "not "}trusted`, async () => {
      const queue = activemqQueue(server);
      const ca = readFileSync(join(import.meta.dirname, `../fixtures/tls/${authority}.crt`));
      const tls = { secureContext: createSecureContext({ ca }), minVersion: "TLSv1.2" } as const;
      const access = { ...server.options().access, tls };
      const options = { endpoints: [server.tlsEndpoint], access, place: queue.name };
      const opening = openActivemqSource(activemqSettingsOf(queue.name), createRheaClient(options));
      if (!isTrusted) {
        await assert.rejects(opening, /certificate/);
        return;
      }
      const source = await opening;
      await queue.send([{ body: "a" }]);
      assert.deepEqual(bodies(source, await receivedAtLast(source)), ["a"]);
      await source.close();
    });
  }

  test("of two brokers the one that answers is read", async () => {
    const queue = activemqQueue(server);
    const endpoints = ["amqp://127.0.0.1:1", server.endpoint];
    const options = { ...server.options(), endpoints, place: queue.name };
    const source = await openActivemqSource(activemqSettingsOf(queue.name), createRheaClient(options));
    await queue.send([{ body: "a" }]);
    assert.deepEqual(bodies(source, await receivedAtLast(source)), ["a"]);
    await source.close();
  });

  test("what a broker that was killed had sent comes again, once it is back, and is counted", async () => {
    const queue = activemqQueue(server);
    const source = await openActivemqSource(activemqSettingsOf(queue.name), queue.client());
    await queue.send([{ body: "a" }, { body: "b" }]);
    const held = await receiveAll(source, 2);
    assert.equal(held.length, 2);
    await server.kill();
    await assert.rejects(
      source.receive({ messagesMax: 1, waitMs: 10_000, holdMs: HOLD_MS }, NO_ABORT),
      isPassingFault,
    );
    assert.deepEqual(await source.acknowledge(held), ["lost", "lost"]);
    await server.start();
    const again = [...(await receivedAtLast(source))];
    if (again.length < 2) again.push(...(await receivedAtLast(source)));
    assert.deepEqual(bodies(source, again), ["a", "b"]);
    assert.ok(again.every(({ receiveCount }) => receiveCount === 2));
    assert.deepEqual(await source.acknowledge(again), ["settled", "settled"]);
    await source.close();
  });

  test("a queue that is made anew by a broker without its data is read on", async () => {
    const queue = activemqQueue(server);
    const source = await openActivemqSource(activemqSettingsOf(queue.name), queue.client());
    await queue.send([{ body: "old" }]);
    const held = await receiveAll(source, 1);
    await server.kill();
    await server.forget();
    await server.start();
    await queue.send([{ body: "new" }]);
    const given = await receivedAtLast(source);
    assert.deepEqual(bodies(source, given), ["new"]);
    assert.deepEqual(await source.acknowledge(held), ["lost"]);
    await source.close();
  });

  test("a message that fails as often as it may goes to the broker's dead letters, and its neighbour does not", async () => {
    const queue = activemqQueue(server);
    const source = await openActivemqSource(
      activemqSettingsOf(queue.name, { deliveriesMax: 2 }),
      queue.client(),
    );
    await sendAll(server, queue.name, [
      { body: "poison", durable: true },
      { body: "sound", durable: true },
    ] satisfies Message[]);
    for (let attempt = 0; attempt < 2; attempt++) {
      const messages = await receivedAtLast(source);
      const poison = messages.filter((message) => bodies(source, [message])[0] === "poison");
      assert.equal(poison.length, 1);
      await source.failed?.(poison, 0);
      await source.release(
        messages.filter((message) => !poison.includes(message)),
        0,
      );
    }
    const sound = await receivedAtLast(source);
    assert.deepEqual(bodies(source, sound), ["sound"]);
    await source.acknowledge(sound);
    await source.close();
    const dead = await open(ACTIVEMQ_USER, ACTIVEMQ_PASSWORD, "ActiveMQ.DLQ");
    const letters = await receivedAtLast(dead);
    assert.ok(bodies(dead, letters).includes("poison"));
    await dead.acknowledge(letters);
    await dead.close();
  });
});
