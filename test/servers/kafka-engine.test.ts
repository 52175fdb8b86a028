import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { until } from "../integration/cli/millrace-process.ts";
import { type KafkaServer, startKafka } from "./kafka.ts";
import { type KafkaProcess, KafkaRun, spread } from "./suites/kafka-run.ts";
import { KafkaWitness, type Verdict, type WitnessedEvent } from "./suites/kafka-witness.ts";

const HANG = { timeout: 600_000 };
const SPEC = "  batchSize: 50\n  maximumBatchingWindowInSeconds: 0\n  parallelizationFactor: 2\n";

describe("millrace over a Kafka topic", HANG, () => {
  let kafka: KafkaServer;
  let topics = 0;

  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.close());

  async function newRun(
    t: TestContext,
    numPartitions: number,
    verdict: (event: WitnessedEvent) => Verdict | Promise<Verdict> = () => "succeed",
  ) {
    const topic = `run-${topics++}`;
    await kafka.admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
    const witness = await KafkaWitness.start(verdict);
    t.after(() => witness.close());
    return { run: new KafkaRun(t, kafka, topic, witness.url, SPEC), witness };
  }

  async function delivered(witness: KafkaWitness, records: number, ...processes: readonly KafkaProcess[]) {
    await until(
      () => witness.distinct >= records || witness.breaches.length > 0,
      () =>
        `${witness.distinct} of ${records} came: ${processes.map(({ millrace }) => millrace.stderr.slice(-1_500)).join("\n")}`,
      120_000,
    );
    assert.deepEqual(witness.breaches.slice(0, 5), []);
    assert.equal(witness.distinct, records);
  }

  test("one process reads all partitions, says how far behind it is, and its graceful stop repeats nothing", async (t) => {
    const { run, witness } = await newRun(t, 4);
    await run.produce(keys(2_000));
    const one = run.start();
    await delivered(witness, 2_000, one);
    await until(
      async () => (await one.status())?.caughtUp === true,
      () => "it never caught up",
      30_000,
    );
    assert.deepEqual(
      (await one.status())?.shards.map(({ offsetLag }) => offsetLag),
      [0, 0, 0, 0],
    );
    const metrics = await one.metrics();
    assert.match(metrics, new RegExp(`millrace_offset_lag_records{mapping="${run.topic}"} 0\n`));
    assert.match(metrics, /millrace_partition_offset_lag_records{mapping="[^"]+",partition="[^"]+-3"} 0\n/);
    assert.deepEqual(await one.stop(), { status: 0, signal: null });
    assert.equal(await run.uncommitted(witness, [0, 1, 2, 3]), 0);
    await run.produce(keys(400));
    const two = run.start();
    await delivered(witness, 2_400, two);
    assert.equal(witness.repeated, 0);
  });

  test("partitions that move are drained first: long invocations end, and nothing is repeated", async (t) => {
    let hold = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_000));
    const { run, witness } = await newRun(t, 6, async (): Promise<Verdict> => {
      await hold();
      return "succeed";
    });
    await run.produce(keys(1_200));
    const one = run.start();
    await until(
      () => witness.running > 0,
      () => "nothing was invoked",
      30_000,
    );
    const two = run.start();
    await spread([one, two], 6);
    hold = async () => {};
    await delivered(witness, 1_200, one, two);
    assert.equal(witness.repeated, 0);
    assert.equal(one.millrace.logs().filter(({ level }) => level === "error").length, 0);
  });

  test("a stop in the middle of it hands all over, and nothing is repeated", async (t) => {
    const { run, witness } = await newRun(t, 6, async (): Promise<Verdict> => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "succeed";
    });
    await run.produce(keys(20_000));
    const [one, two] = [run.start(), run.start()];
    await until(
      () => witness.distinct > 2_000,
      () => "nothing came",
      60_000,
    );
    assert.deepEqual(await one.stop(), { status: 0, signal: null });
    assert.ok(witness.distinct < 20_000, "all was done before the stop");
    await delivered(witness, 20_000, two);
    assert.equal(witness.repeated, 0);
  });

  test("a topic that grows from 12 to 24 partitions is read whole, by both processes", async (t) => {
    const { run, witness } = await newRun(t, 12);
    const [one, two] = [run.start(), run.start()];
    await spread([one, two], 12);
    await run.produce(keys(1_000));
    await delivered(witness, 1_000, one, two);
    await kafka.admin.createPartitions({ topicPartitions: [{ topic: run.topic, count: 24 }] });
    // Keys move with the number of partitions, so these are others.
    await run.produce(keys(1_000).map((key) => key + 10_000));
    await delivered(witness, 2_000, one, two);
    await spread([one, two], 24);
    assert.equal(witness.repeated, 0);
  });
});

test(
  "a coordinator that stands still, and one that is lost with its partitions, are got over",
  HANG,
  async (t) => {
    const kafka = await startKafka({ brokers: 3 });
    t.after(() => kafka.close());
    const topic = "failover";
    await kafka.admin.createTopics({
      topics: [{ topic, numPartitions: 6, replicationFactor: 3 }],
      waitForLeaders: true,
    });
    let invocationMs = 3_000;
    const witness = await KafkaWitness.start(async (): Promise<Verdict> => {
      await new Promise((resolve) => setTimeout(resolve, invocationMs));
      return "succeed";
    });
    t.after(() => witness.close());
    const run = new KafkaRun(t, kafka, topic, witness.url, SPEC);
    const processes = [run.start(), run.start()];
    await spread(processes, 6);
    const arrived = (records: number, when: string) =>
      until(
        () => witness.distinct === records,
        () =>
          `${witness.distinct} of ${records} came ${when}: ${processes[0]?.millrace.stderr.slice(-3_000)}`,
        120_000,
      );
    const committed = () =>
      until(
        // The admin client gives up at the first broker that is lost, whatever its settings of retries.
        async () => (await run.uncommitted(witness, [0, 1, 2, 3, 4, 5]).catch(() => undefined)) === 0,
        () => "what was processed was never committed",
        60_000,
      );

    await run.produce(keys(3_000));
    const standing = await coordinatorOf(kafka, run.groupId);
    kafka.pause(standing);
    const pausedMs = performance.now();
    await arrived(3_000, "with a coordinator that stands still");
    await until(
      () => performance.now() - pausedMs > 25_000,
      () => "time stands still",
      60_000,
    );
    kafka.resume(standing);
    await committed();
    await spread(processes, 6);
    t.diagnostic(`${witness.repeated} records repeated after a coordinator stood still`);

    invocationMs = 0;
    const repeatedBefore = witness.repeated;
    const lost = await coordinatorOf(kafka, run.groupId);
    await kafka.kill(lost);
    const lostMs = performance.now();
    await run.produce(keys(3_000));
    await arrived(6_000, "after the loss of the coordinator");
    await committed();
    await spread(processes, 6);
    const seconds = ((performance.now() - lostMs) / 1000).toFixed(1);
    t.diagnostic(
      `all was committed ${seconds} s after the loss; ${witness.repeated - repeatedBefore} repeated`,
    );
    assert.deepEqual(witness.breaches, []);
  },
);

/** 50 keys, one record of each in turn. */
function keys(records: number): number[] {
  return Array.from({ length: records }, (_, index) => index % 50);
}

async function coordinatorOf(kafka: KafkaServer, groupId: string): Promise<number> {
  const described = await kafka.runTool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", [
    ...["--bootstrap-server", kafka.bootstrap().join(",")],
    ...["--describe", "--state", "--group", groupId],
  ]);
  const id = /\((\d+)\)/.exec(described)?.[1];
  assert.ok(id !== undefined, described);
  return Number(id) - 1;
}
