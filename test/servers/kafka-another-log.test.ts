import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { until } from "../integration/cli/millrace-process.ts";
import { type KafkaServer, startKafka } from "./kafka.ts";
import { remakeTopic } from "./kafka-topic.ts";
import { type KafkaProcess, KafkaRun } from "./suites/kafka-run.ts";
import { KafkaWitness } from "./suites/kafka-witness.ts";

const HANG = { timeout: 300_000 };
const TOLD = "a shard is another log than the one that was read, or lost its end";

/** What happens to the log below a mapping, while its process runs and while none does. */
describe("millrace over a Kafka topic whose log becomes another", HANG, () => {
  let kafka: KafkaServer;
  let topics = 0;

  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka.close());

  async function newRun(t: TestContext, numPartitions: number) {
    const topic = `log-${topics++}`;
    await kafka.admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
    const witness = await KafkaWitness.start();
    t.after(() => witness.close());
    const run = new KafkaRun(t, kafka, topic, witness.url, "  batchSize: 50\n");
    const delivered = async (records: number, one: KafkaProcess) => {
      await until(
        () => witness.distinct >= records,
        () => `${witness.distinct} of ${records} came: ${one.millrace.stderr.slice(-2_000)}`,
        90_000,
      );
      assert.deepEqual([witness.distinct, witness.repeated, witness.breaches], [records, 0, []]);
    };
    return { run, witness, delivered };
  }

  async function caughtUp(one: KafkaProcess): Promise<void> {
    await until(
      async () => (await one.status())?.caughtUp === true,
      () => `it never caught up: ${one.millrace.stderr.slice(-2_000)}`,
      60_000,
    );
  }

  test("a topic made anew is delivered whole: longer, shorter, with fewer partitions and with more again", async (t) => {
    const { run, delivered } = await newRun(t, 3);
    await run.produce(keys(30));
    const one = run.start();
    await delivered(30, one);
    await caughtUp(one);
    // Longer than what was read, and nothing was fetched meanwhile: no offset and no error tells of it.
    one.millrace.kill("SIGSTOP");
    await remake(run.topic, 3);
    await run.produce(keys(60));
    one.millrace.kill("SIGCONT");
    await delivered(90, one);
    await caughtUp(one);
    assert.equal(tellings(one).length, 3);
    assert.match(
      String(tellings(one)[0]?.["told"]),
      /was deleted and made anew \(its id was \S+ and is \S+\)/,
    );
    await remake(run.topic, 1);
    await run.produce(keys(10));
    await delivered(100, one);
    await caughtUp(one);
    assert.deepEqual(await one.stop(), { status: 0, signal: null });
    await remake(run.topic, 2);
    await run.produce(keys(40));
    const two = run.start();
    await delivered(140, two);
    await caughtUp(two);
    await kafka.admin.createPartitions({ topicPartitions: [{ topic: run.topic, count: 4 }] });
    await run.produce(keys(40));
    await delivered(180, two);
    assert.equal(logged(two, "error").length, 0);
  });

  async function remake(topic: string, partitions: number): Promise<void> {
    await kafka.admin.deleteTopics({ topics: [topic] });
    await remakeTopic(kafka, topic, partitions);
  }

  test("a log that lost its end while nobody read it, and grew past it, gives what is new and nothing twice", async (t) => {
    const { run, delivered } = await newRun(t, 1);
    await run.produce(keys(6));
    await run.produce(keys(4));
    const one = run.start();
    await delivered(10, one);
    await caughtUp(one);
    assert.deepEqual(await one.stop(), { status: 0, signal: null });
    await kafka.kill(0);
    await kafka.cutLog(0, run.topic, 0, 6);
    await kafka.start(0);
    await run.produce(keys(15));
    const two = run.start();
    await delivered(25, two);
    assert.match(
      String(tellings(two)[0]?.["told"]),
      /was read to offset 9, and only what stands before offset 6/,
    );
  });

  test("markers and aborted records are committed too: the lag is 0, and their trimming is no gap", async (t) => {
    const { run, delivered } = await newRun(t, 1);
    await run.produce(keys(5));
    const one = run.start();
    await delivered(5, one);
    const client = kafka.client.producer({ transactionalId: run.topic, maxInFlightRequests: 1 });
    await client.connect();
    const transaction = await client.transaction();
    await transaction.send({ topic: run.topic, messages: [{ value: "given up" }, { value: "given up" }] });
    await transaction.abort();
    await client.disconnect();
    const end = 5 + 3;
    const { topic, groupId } = run;
    const committed = async () => {
      const [found] = await kafka.admin.fetchOffsets({ groupId, topics: [topic] });
      return Number(found?.partitions[0]?.offset);
    };
    await until(
      async () => (await committed()) === end,
      () => "the end of the log was never committed",
      30_000,
    );
    await one.stop();
    await kafka.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(end) }] });
    const two = run.start();
    await run.produce(keys(3));
    await delivered(8, two);
    assert.deepEqual(logged(two, "error"), []);
  });
});

function tellings(one: KafkaProcess) {
  return one.millrace.logs().filter(({ message }) => message === TOLD);
}

function logged(one: KafkaProcess, level: string) {
  return one.millrace.logs().filter((line) => line.level === level);
}

function keys(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index % 10);
}
