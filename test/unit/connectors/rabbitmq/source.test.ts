import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createBodyFactory } from "../../../../connectors/rabbitmq/event.ts";
import type { RabbitSettings } from "../../../../connectors/rabbitmq/settings.ts";
import { openRabbitSource } from "../../../../connectors/rabbitmq/source.ts";
import type { BrokerChannel } from "../../../../src/brokers/broker-client.ts";
import { DeliveryWindow } from "../../../../src/brokers/delivery-window.ts";
import { Prefetch } from "../../../../src/brokers/prefetch.ts";
import type { QueueMessage, QueueSource } from "../../../../src/ports/queue-source.ts";
import { NO_ABORT } from "../../../contract/queue-source-harness.ts";
import { messagesOf, rabbitSettingsOf } from "../../../contract/rabbit-harness.ts";
import { RabbitTwin } from "../../../contract/rabbit-twin.ts";
import type { TwinQueue, TwinQueueOptions } from "../../../contract/rabbit-twin-queue.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";

const HOLD_MS = 600_000;

class World implements AsyncDisposable {
  readonly twin = new RabbitTwin();
  readonly queue: TwinQueue;
  readonly #sources: QueueSource[] = [];

  constructor(options: TwinQueueOptions = {}) {
    this.twin.declare("dead");
    this.queue = this.twin.declare("orders", { deadLetterQueue: "dead", ...options });
  }

  async open(settings: Partial<RabbitSettings> = {}, restMs = 60_000): Promise<QueueSource> {
    const source = await openRabbitSource(rabbitSettingsOf("orders", settings), this.twin.api(), { restMs });
    this.#sources.push(source);
    return source;
  }

  send(...bodies: readonly string[]): void {
    for (const body of bodies) this.queue.publish(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.close()));
  }
}

/** As many as there are, up to `count`; waits for none. */
function receive(source: QueueSource, count = 10, waitMs = 0): Promise<readonly QueueMessage[]> {
  return source.receive({ messagesMax: count, waitMs, holdMs: HOLD_MS }, NO_ABORT);
}

function bodies(source: QueueSource, messages: readonly QueueMessage[]): readonly string[] {
  const event: unknown = JSON.parse(Buffer.from(source.events.encode(messages)).toString());
  return messagesOf(event).map(({ data }) => Buffer.from(data, "base64").toString());
}

describe("a queue of RabbitMQ, run in its order", () => {
  test("what failed comes again before what is behind it, and not before its pause is over", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("a", "b", "c", "d");
    const failed = await receive(source, 2);
    await source.failed?.(failed, 30);
    assert.deepEqual(bodies(source, await receive(source, 4)), []);
    const again = await receive(source, 4, 5_000);
    assert.deepEqual(bodies(source, again), ["a", "b", "c", "d"]);
    assert.deepEqual(
      again.map(({ receiveCount }) => receiveCount),
      [2, 2, 1, 1],
    );
  });

  test("what waits behind a failure and is given back stays behind it", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("a", "b", "c");
    const first = await receive(source, 1);
    const behind = await receive(source, 1);
    const failing = source.failed?.(first, 20);
    await source.release(behind, 0);
    await failing;
    assert.deepEqual(bodies(source, await receive(source, 3, 5_000)), ["a", "b", "c"]);
  });

  test("a message is rejected behind its delivery limit, and those that were given back unseen are not", async () => {
    await using world = new World();
    const source = await world.open({ deliveriesMax: 2 });
    world.send("poison", "sound");
    for (let attempt = 0; attempt < 2; attempt++) {
      const [poison, ...others] = await receive(source, 2, 5_000);
      assert(poison !== undefined);
      await source.failed?.([poison], 0);
      await source.release(others, 0);
    }
    assert.deepEqual(world.twin.queues.get("dead")?.contents, ["poison"]);
    assert.deepEqual(bodies(source, await receive(source)), ["sound"]);
  });

  test("a message that is too large for any invocation is rejected as soon as it is told as failed", async () => {
    await using world = new World();
    const source = await world.open();
    world.queue.publish(Buffer.alloc(7 * 1024 * 1024));
    const [large] = await receive(source);
    assert(large?.damage !== undefined);
    await source.failed?.([large], 60_000);
    assert.equal(world.twin.queues.get("dead")?.ready, 1);
  });

  test("another process stands by while one has the queue, and goes on behind it", async () => {
    await using world = new World();
    const [first, second] = [await world.open(), await world.open()];
    world.send("a", "b");
    const held = await receive(first, 1);
    assert.deepEqual(await receive(second, 1), []);
    const waiting = receive(second, 10, 20_000);
    await first.acknowledge(held);
    await first.close();
    assert.deepEqual(bodies(second, await waiting), ["b"]);
  });

  test("a single active consumer fails over without being asked for the queue alone", async () => {
    await using world = new World({ isSingleActive: true });
    const [first, second] = [await world.open(), await world.open()];
    world.send("a", "b");
    assert.equal((await receive(first, 1)).length, 1);
    const waiting = receive(second, 10, 20_000);
    world.twin.dropConnections();
    // Its own connection may be among those that were lost.
    const given = await waiting.catch((): readonly QueueMessage[] => []);
    const all = given.length > 0 ? given : await receive(second, 10, 5_000);
    assert.deepEqual(bodies(second, all), ["a", "b"]);
  });
});

test("in the order of a header, a message waits for those of its value that are in hand, and for no others", async () => {
  await using world = new World();
  const source = await world.open({ order: { by: "header", name: "key" }, batchesMax: 2 });
  const send = (body: string, key: string) => world.queue.publish(body, { headers: { key } });
  send("a-1", "a");
  const first = await receive(source, 1, 5_000);
  send("a-2", "a");
  send("b-1", "b");
  assert.deepEqual(bodies(source, await receive(source, 10, 5_000)), ["b-1"]);
  await source.acknowledge(first);
  assert.deepEqual(bodies(source, await receive(source, 10, 5_000)), ["a-2"]);
});

describe("a broker that fails", () => {
  test("results of a channel that is gone change nothing, and its messages come again as redelivered", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("a");
    const held = await receive(source);
    world.twin.dropConnections();
    assert.deepEqual(await source.acknowledge(held), ["lost"]);
    await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => receive(source));
    const again = await receive(source);
    assert.deepEqual(bodies(source, again), ["a"]);
    assert.equal(again[0]?.receiveCount, 2);
  });

  test("the broker's consumer_timeout is told with what to do", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("a");
    await receive(source);
    world.twin.timeOutConsumers();
    await assert.rejects(receive(source), /consumer_timeout.*consumerTimeoutSeconds/s);
    // And read on: others stayed deaf behind it (bunny 681, node-rabbitmq-client 33).
    assert.equal((await receive(source)).length, 1);
  });

  test("messages that wait go back before the broker's consumer_timeout, in their order", async () => {
    await using world = new World();
    // Half of it is what they may wait.
    const source = await world.open({ consumerTimeoutMs: 400 });
    world.send("a", "b", "c");
    const held = await receive(source, 1);
    await source.failed?.(held, 60_000);
    const again = await receive(source, 3, 10_000);
    assert.deepEqual(bodies(source, again), ["a", "b", "c"]);
    assert.ok(again.every(({ receiveCount }) => receiveCount === 2));
  });

  test("a broker that is away is told, and read again when it is back", async () => {
    await using world = new World();
    const source = await world.open();
    world.twin.isAway = true;
    await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => receive(source));
    world.twin.isAway = false;
    world.send("a");
    assert.equal((await receive(source)).length, 1);
  });

  test("a stream is refused: nothing can be taken off it", async () => {
    await using world = new World();
    const source = await world.open();
    world.queue.publish("a", { headers: { "x-stream-offset": 0 } });
    await assert.rejects(receive(source, 1, 5_000), /is a stream/);
  });
});

describe("what is sent ahead", () => {
  test("goes back when nobody asks for it any more, and another process gets it", async () => {
    await using world = new World();
    const order = { order: { by: "none" } } as const;
    const source = await world.open(order, 1);
    world.send("a", "b", "c");
    await source.acknowledge(await receive(source, 1));
    const other = await world.open(order);
    assert.deepEqual(bodies(other, await receive(other, 10, 5_000)), ["b", "c"]);
  });

  test("a message whose hold ended while nobody asks goes back once: a quorum queue counts one delivery more", async () => {
    await using world = new World({ isQuorum: true });
    const order = { order: { by: "none" } } as const;
    const source = await world.open(order, 5);
    world.send("a");
    await source.receive({ messagesMax: 1, waitMs: 1_000, holdMs: 20 }, NO_ABORT);
    while (world.queue.ready === 0) await sleep(5);
    const other = await world.open(order);
    const [again] = await receive(other, 1, 10_000);
    assert.equal(again?.receiveCount, 2);
  });

  test("stays while a batch of this process runs", async () => {
    await using world = new World();
    const source = await world.open({}, 1);
    world.send("a", "b");
    const [held] = await receive(source, 1);
    await sleep(20);
    assert(held !== undefined);
    assert.deepEqual(await source.acknowledge([held]), ["settled"]);
  });

  test("is as much as every batch and one more, unless messages are large", () => {
    const small = new Prefetch({ batchSize: 100, batchesMax: 1 });
    assert.equal(small.current, 64);
    for (let seen = 0; seen < 32; seen++) small.saw(1_000);
    assert.equal(small.adapt(), true);
    assert.equal(small.current, 200);
    assert.equal(small.adapt(), false);
    const large = new Prefetch({ batchSize: 10_000, batchesMax: 10 });
    for (let seen = 0; seen < 32; seen++) large.saw(6_000_000);
    assert.equal(large.adapt(), true);
    assert.equal(large.current, 5);
  });
});

test("one acknowledgement settles all below which nothing is open, and each other message has its own", () => {
  const written: string[] = [];
  const channel: BrokerChannel = {
    consume: async () => undefined,
    cancel: async () => undefined,
    ready: async () => 0,
    ack: (tag, isMultiple) => written.push(`ack ${tag}${isMultiple ? " and before" : ""}`),
    requeue: (tag) => written.push(`requeue ${tag}`),
    reject: (tag) => written.push(`reject ${tag}`),
    close: async () => undefined,
  };
  const order = { by: "none" } as const;
  const window = new DeliveryWindow({
    channel,
    order,
    nowMs: () => 0,
    deliveriesMax: undefined,
    ageMsMax: 1_000,
  });
  const toBody = createBodyFactory(rabbitSettingsOf("orders"), order);
  for (let deliveryTag = 1; deliveryTag <= 8; deliveryTag++) {
    const sent = { deliveryTag, redelivered: false, properties: {}, content: Buffer.from("x") };
    window.add(deliveryTag, toBody(sent));
  }
  const messages = window.take(8, HOLD_MS);
  const at = (...tags: readonly number[]) => tags.flatMap((tag) => messages.slice(tag - 1, tag));
  window.acknowledge(at(5));
  window.acknowledge(at(1, 2, 3, 7));
  window.acknowledge(at(4));
  window.acknowledge(at(6, 8));
  assert.deepEqual(written, ["ack 5", "ack 3 and before", "ack 7", "ack 4", "ack 8 and before"]);
  assert.deepEqual(window.acknowledge(at(1)), ["lost"]);
});
