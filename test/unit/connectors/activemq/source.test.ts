import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ActivemqSettings } from "../../../../connectors/activemq/settings.ts";
import { type ActivemqTimes, openActivemqSource } from "../../../../connectors/activemq/source.ts";
import type { QueueMessage, QueueSource } from "../../../../src/ports/queue-source.ts";
import { activemqSettingsOf, messagesOf } from "../../../contract/activemq-harness.ts";
import { ActivemqTwin } from "../../../contract/activemq-twin.ts";
import { NO_ABORT } from "../../../contract/queue-source-harness.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";

const HOLD_MS = 600_000;
let worlds = 0;

class World implements AsyncDisposable {
  readonly twin = new ActivemqTwin();
  readonly name = `orders-${worlds++}`;
  readonly #sources: QueueSource[] = [];

  async open(settings: Partial<ActivemqSettings> = {}, times: ActivemqTimes = {}): Promise<QueueSource> {
    const source = await openActivemqSource(activemqSettingsOf(this.name, settings), this.twin.client(), {
      restMs: 60_000,
      ...times,
    });
    this.#sources.push(source);
    return source;
  }

  send(body: string, group?: string): void {
    this.twin.queue(this.name).send(group === undefined ? { body } : { body, group_id: group });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.close()));
  }
}

function receive(source: QueueSource, count = 10, waitMs = 0): Promise<readonly QueueMessage[]> {
  return source.receive({ messagesMax: count, waitMs, holdMs: HOLD_MS }, NO_ABORT);
}

function bodies(source: QueueSource, messages: readonly QueueMessage[]): readonly string[] {
  const event: unknown = JSON.parse(Buffer.from(source.events.encode(messages)).toString());
  return messagesOf(event).map(({ data }) => Buffer.from(data, "base64").toString());
}

describe("a queue of ActiveMQ", () => {
  test("a message that fails is rejected behind its seventh delivery, as JMS's policy has it", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("poison");
    for (let delivery = 1; delivery <= 7; delivery++) {
      const messages = await receive(source, 1, 5_000);
      assert.deepEqual(
        messages.map(({ receiveCount }) => receiveCount),
        [delivery],
      );
      assert.equal(world.twin.deadLetters.length, 0);
      await source.failed?.(messages, 0);
    }
    assert.equal(world.twin.deadLetters.length, 1);
  });

  test("deliveries are counted on by a source that is opened anew, though the broker forgets them", async () => {
    await using world = new World();
    const first = await world.open();
    world.send("a");
    await first.failed?.(await receive(first, 1), 0);
    await first.close();
    const second = await world.open();
    const [again] = await receive(second, 1, 5_000);
    assert.equal(again?.receiveCount, 2);
  });

  test("a group waits for its message that failed, and others go on", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("a-1", "a");
    const failing = await receive(source, 1, 5_000);
    world.send("a-2", "a");
    world.send("b-1", "b");
    await source.failed?.(failing, 50);
    assert.deepEqual(bodies(source, await receive(source, 10, 5_000)), ["b-1"]);
    assert.deepEqual(bodies(source, await receive(source, 1, 5_000)), ["a-1"]);
    assert.deepEqual(await receive(source), []);
  });

  test("what is given back by a source that nobody asks goes to another process", async () => {
    await using world = new World();
    const [first, second] = [await world.open(), await world.open()];
    world.send("a");
    await first.release(await receive(first, 1), 0);
    assert.deepEqual(bodies(second, await receive(second, 1, 5_000)), ["a"]);
  });

  test("a message whose hold ended while nobody asks goes back when it ends", async () => {
    await using world = new World();
    const first = await world.open({}, { restMs: 5 });
    world.send("a");
    await first.receive({ messagesMax: 1, waitMs: 1_000, holdMs: 20 }, NO_ABORT);
    while (world.twin.queue(world.name).ready === 0) await sleep(5);
    const second = await world.open();
    assert.equal((await receive(second, 1, 5_000))[0]?.receiveCount, 2);
  });

  test("results of a connection that is gone change nothing, and a broker that is back is read on", async () => {
    await using world = new World();
    const source = await world.open();
    world.send("a");
    const held = await receive(source, 1);
    world.twin.isAway = true;
    world.twin.dropConnections();
    assert.deepEqual(await source.acknowledge(held), ["lost"]);
    await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => receive(source));
    await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => receive(source));
    world.twin.isAway = false;
    const [again] = await receive(source, 1, 5_000);
    assert.equal(again?.receiveCount, 2);
  });

  test("a map goes to the dead letters as soon as it is told as failed", async () => {
    await using world = new World();
    const source = await world.open();
    world.twin.queue(world.name).send({ body: { a: 1 } });
    const [map] = await receive(source, 1);
    assert(map?.damage !== undefined);
    await source.failed?.([map], 60_000);
    assert.equal(world.twin.deadLetters.length, 1);
  });
});
