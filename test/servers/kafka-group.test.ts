import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { GroupProgress } from "../../connectors/kafka/group-progress.ts";
import { GROUP_TIMES } from "../../connectors/kafka/group-times.ts";
import { KafkaGroup } from "../../connectors/kafka/kafka-group.ts";
import { PROCESS_CLOCK, PROCESS_RANDOM } from "../../connectors/kafka/process-time.ts";
import { initialCheckpoint } from "../../src/model/checkpoint.ts";
import type { HeldLease } from "../../src/ports/progress-store.ts";
import { until } from "../integration/cli/millrace-process.ts";
import { type KafkaServer, startKafka } from "./kafka.ts";

const UUID = "9f0f5a4e-0000-4000-8000-000000000001";
/** The shortest session that brokers allow unless told otherwise. */
const TIMES = {
  ...GROUP_TIMES,
  sessionTimeoutMs: 6_000,
  rebalanceTimeoutMs: 15_000,
  growthIntervalMs: 1_000,
};
const HANG = { timeout: 300_000 };

/** A process of the group, its engine played by the test. */
class GroupProcess {
  readonly cluster: KafkaCluster;
  readonly store: GroupProgress;
  readonly leases = new Map<number, HeldLease>();
  readonly #topic: string;
  readonly #partitions: number;

  constructor(kafka: KafkaServer, topic: string, partitions: number) {
    this.#topic = topic;
    this.#partitions = partitions;
    this.cluster = new KafkaCluster({ bootstrap: kafka.bootstrap(), access: {}, clientId: "millrace-test" });
    this.store = new GroupProgress({
      api: new KafkaGroup({ cluster: this.cluster, groupId: `group-of-${topic}`, topic }),
      groupId: `group-of-${topic}`,
      topic,
      offsetOf: async () => 0,
      clock: PROCESS_CLOCK,
      random: PROCESS_RANDOM,
      times: TIMES,
    });
  }

  get partitions(): number[] {
    return [...this.leases.keys()].sort((a, b) => a - b);
  }

  async start(position = -1): Promise<void> {
    const checkpoint = initialCheckpoint({ kind: "after", position: String(position) });
    const shards = Array.from({ length: this.#partitions }, (_, partition) => ({
      shard: { shardId: `${this.#topic}-${partition}`, parentShardIds: [], closed: false },
      checkpoint,
    }));
    if ((await this.store.list(UUID)).length === 0) await this.store.initialise(UUID, shards);
    await this.look();
  }

  /** What is given is taken, what is lost forgotten; answers what is to be given back. */
  async look(): Promise<number[]> {
    const revoked: number[] = [];
    for (const [partition, lease] of [...this.leases]) {
      const renewal = await this.store.renew(UUID, lease);
      if (renewal.kind === "fenced") this.leases.delete(partition);
      else if (renewal.handoverTo !== undefined) revoked.push(partition);
    }
    for (const row of await this.store.list(UUID)) {
      const partition = Number(row.shardId.slice(this.#topic.length + 1));
      if (this.leases.has(partition)) continue;
      const taken = await this.store.acquire(UUID, row.shardId, "engine", row);
      if (taken !== undefined) {
        this.leases.set(partition, { shardId: row.shardId, owner: "engine", epoch: taken.epoch });
      }
    }
    return revoked;
  }

  lease(partition: number): HeldLease {
    const lease = this.leases.get(partition);
    assert.ok(lease !== undefined, `partition ${partition} is not held`);
    return lease;
  }

  checkpoint(partition: number, revision: number, position: number, settledRanges: [string, string][] = []) {
    const ranges = settledRanges.map(([from, to]) => ({ from, to }));
    const resume = { kind: "after", position: String(position) } as const;
    const checkpoint = { ...initialCheckpoint(resume), revision, settledRanges: ranges };
    return this.store.checkpoint(UUID, this.lease(partition), checkpoint);
  }

  async release(partition: number): Promise<void> {
    assert.equal(await this.store.release(UUID, this.lease(partition)), "released");
    this.leases.delete(partition);
  }

  async checkpointOf(partition: number) {
    const rows = await this.store.list(UUID);
    return rows.find(({ shardId }) => shardId === `${this.#topic}-${partition}`)?.checkpoint;
  }

  /** As a crash ends it: nobody is told. */
  vanish(): void {
    this.cluster.close();
  }

  async close(): Promise<void> {
    await this.store.close();
    this.cluster.close();
  }
}

async function lookUntil(processes: readonly GroupProcess[], wanted: readonly (readonly number[])[]) {
  const have = () => JSON.stringify(processes.map(({ partitions }) => partitions));
  await until(
    async () => {
      for (const each of processes) for (const partition of await each.look()) await each.release(partition);
      return have() === JSON.stringify(wanted);
    },
    () => `the partitions are ${have()}`,
    60_000,
  );
}

describe("a consumer group on a real broker", HANG, () => {
  let kafka: KafkaServer;
  let topics = 0;

  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.close());

  async function newTopic(numPartitions: number): Promise<string> {
    const topic = `topic-${topics++}`;
    await kafka.admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
    return topic;
  }

  function newProcess(t: TestContext, topic: string, partitions: number): GroupProcess {
    const created = new GroupProcess(kafka, topic, partitions);
    t.after(() => created.close());
    return created;
  }

  test("starts where it is told, and goes on where the group has committed, settled ranges included", async (t) => {
    const topic = await newTopic(3);
    const one = newProcess(t, topic, 3);
    await one.start(41);
    assert.deepEqual(one.partitions, [0, 1, 2]);
    assert.deepEqual((await one.checkpointOf(2))?.resume, { kind: "after", position: "41" });
    assert.equal(await one.checkpoint(1, 7, 50, [["53", "60"]]), "stored");
    assert.equal(await one.checkpoint(1, 7, 40), "stale");
    await one.close();
    const two = newProcess(t, topic, 3);
    await two.start(99);
    assert.deepEqual(await two.checkpointOf(1), {
      ...initialCheckpoint({ kind: "after", position: "50" }),
      revision: 7,
      settledRanges: [{ from: "53", to: "60" }],
    });
    assert.deepEqual((await two.checkpointOf(0))?.resume, { kind: "after", position: "41" });
  });

  test("a process that comes gets its share once it was given back, while the rest is worked on", async (t) => {
    const topic = await newTopic(4);
    const [one, two] = [newProcess(t, topic, 4), newProcess(t, topic, 4)];
    await one.start();
    const epoch = one.lease(0).epoch;
    const starting = two.start();
    let revoked: number[] = [];
    await until(
      async () => {
        // The notice may come between two of a look's heartbeats: the next look sees all of it.
        revoked = await one.look();
        return revoked.length === 2;
      },
      () => `to be given back: ${JSON.stringify(revoked)}`,
      30_000,
    );
    await starting;
    assert.deepEqual(revoked, [2, 3]);
    assert.deepEqual(two.partitions, []);
    for (const partition of [0, 1, 2, 3]) assert.equal(await one.checkpoint(partition, 1, 10), "stored");
    await lookUntil(
      [one, two],
      [
        [0, 1],
        [2, 3],
      ],
    );
    assert.equal(one.lease(0).epoch, epoch, "a partition that stayed was begun anew");
    assert.deepEqual((await two.checkpointOf(3))?.resume, { kind: "after", position: "10" });
    await one.close();
    await lookUntil([two], [[0, 1, 2, 3]]);
  });

  test("what a vanished process had is another's after its session, and its late commits change nothing", async (t) => {
    const topic = await newTopic(2);
    const [one, two] = [newProcess(t, topic, 2), newProcess(t, topic, 2)];
    await one.start();
    const lost = one.lease(1);
    one.vanish();
    await two.start();
    await lookUntil([two], [[0, 1]]);
    assert.equal(await two.checkpoint(1, 1, 20), "stored");
    await assert.rejects(one.store.renew(UUID, lost), { code: "ERR_MILLRACE_STORE_UNAVAILABLE" });
    assert.deepEqual((await two.checkpointOf(1))?.resume, { kind: "after", position: "20" });
  });

  test("a topic that grows is shared out, its new partitions from their oldest record", async (t) => {
    const topic = await newTopic(2);
    const [one, two] = [newProcess(t, topic, 2), newProcess(t, topic, 2)];
    await one.start(5);
    await two.start(5);
    await lookUntil([one, two], [[0], [1]]);
    await kafka.admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
    await until(
      async () => {
        await one.look();
        await two.look();
        return one.partitions.length + two.partitions.length === 4;
      },
      () => `the partitions are ${one.partitions} and ${two.partitions}`,
      60_000,
    );
    const owner = one.partitions.includes(3) ? one : two;
    assert.deepEqual((await owner.checkpointOf(3))?.resume, { kind: "after", position: "-1" });
    assert.deepEqual((await one.checkpointOf(0))?.resume, { kind: "after", position: "5" });
  });

  test("Kafka's own tools read the group, and offsets that an operator sets are where it goes on", async (t) => {
    const topic = await newTopic(2);
    const one = newProcess(t, topic, 2);
    await one.start();
    await one.checkpoint(1, 1, 8, [["11", "12"]]);
    const described = await kafka.runTool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", [
      "--bootstrap-server",
      kafka.bootstrap()[0] ?? "",
      "--describe",
      "--group",
      `group-of-${topic}`,
    ]);
    assert.match(described, new RegExp(`${topic}\\s+1\\s+9\\s`), described);
    assert.match(described, /millrace-test/);
    await one.close();
    await kafka.admin.setOffsets({
      groupId: `group-of-${topic}`,
      topic,
      partitions: [{ partition: 1, offset: "3" }],
    });
    const two = newProcess(t, topic, 2);
    await two.start();
    const checkpoint = await two.checkpointOf(1);
    assert.deepEqual(checkpoint, initialCheckpoint({ kind: "after", position: "2" }));
  });

  test("another client's cooperative member shares the partitions with us", async (t) => {
    const topic = await newTopic(4);
    const one = newProcess(t, topic, 4);
    await one.start();
    const other = kafka.runTool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
      ...["--bootstrap-server", kafka.bootstrap()[0] ?? "", "--topic", topic, "--group", `group-of-${topic}`],
      ...["--timeout-ms", "5000", "--consumer-property"],
      "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    ]);
    await lookUntil([one], [[0, 1]]);
    await other;
    await lookUntil([one], [[0, 1, 2, 3]]);
  });

  test("a group whose members divide their partitions otherwise is refused with what to do about it", async (t) => {
    const topic = await newTopic(1);
    const consumer = kafka.client.consumer({ groupId: `group-of-${topic}` });
    t.after(() => consumer.disconnect());
    await consumer.connect();
    await consumer.subscribe({ topic });
    const joined = new Promise((resolve) => consumer.on("consumer.group_join", resolve));
    await consumer.run({ eachMessage: async () => undefined });
    await joined;
    const one = newProcess(t, topic, 1);
    await assert.rejects(one.store.list(UUID), /INCONSISTENT_GROUP_PROTOCOL.*cooperative-sticky/);
  });
});
