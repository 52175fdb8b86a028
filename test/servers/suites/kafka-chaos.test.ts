import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUP_TIMES } from "../../../connectors/kafka/group-times.ts";
import { until } from "../../integration/cli/millrace-process.ts";
import { startKafka } from "../kafka.ts";
import { type KafkaProcess, KafkaRun, spread } from "./kafka-run.ts";
import { KafkaWitness } from "./kafka-witness.ts";

/** A full run: `npm run test:kafka-chaos`, which takes a million. */
const RECORDS = Number(process.env["MILLRACE_CHAOS_RECORDS"] ?? 120_000);
const PER_KEY = 50;
const KEYS = RECORDS / PER_KEY;
const PARTITIONS = 12;
const BATCH = 200;
const LANES = 4;
const FAIL_SHARE = 0.01;
const SEED = 20_261_121;
const HANG = { timeout: 1_800_000 };

test(
  `${RECORDS} records of 1 KB, 1 % of invocations failing, a kill, a pause beyond the session, a newcomer: none lost, order kept`,
  HANG,
  async (t) => {
    const kafka = await startKafka();
    t.after(() => kafka.close());
    const topic = "chaos";
    await kafka.admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
    const random = createRandom(SEED);
    const witness = await KafkaWitness.start(() => (random() < FAIL_SHARE ? "fail" : "succeed"));
    t.after(() => witness.close());
    const run = new KafkaRun(
      t,
      kafka,
      topic,
      witness.url,
      `  batchSize: ${BATCH}\n  maximumBatchingWindowInSeconds: 0\n  parallelizationFactor: ${LANES}\n  bisectBatchOnFunctionError: true\n`,
    );
    const startMs = performance.now();
    const [killed, paused, steady] = [run.start(), run.start(), run.start()];
    await spread([killed, paused, steady], PARTITIONS);
    const shuffled = shuffledKeys(random);
    const quarter = RECORDS / 4;
    const first = run.produce(shuffled.slice(0, 3 * quarter));
    // No step of the test may end it unnoticed while records are still being written.
    first.catch(() => undefined);

    await reached(witness, 0.2, [killed, paused, steady]);
    const lostByKill = await killed.partitions();
    killed.millrace.kill("SIGKILL");
    await killed.millrace.ended;
    const afterKill = await mayRepeat(run, witness, lostByKill);
    t.diagnostic(`killed at ${witness.distinct} records, with ${lostByKill}: ${afterKill} in no commit`);

    await reached(witness, 0.4, [paused, steady]);
    const lostByPause = await paused.partitions();
    paused.millrace.kill("SIGSTOP");
    const afterPause = await mayRepeat(run, witness, lostByPause);
    t.diagnostic(`paused at ${witness.distinct} records, with ${lostByPause}: ${afterPause} in no commit`);
    const pausedMs = performance.now();
    await first;
    await spread([steady], PARTITIONS);
    await until(
      () => performance.now() - pausedMs > GROUP_TIMES.sessionTimeoutMs + 5_000,
      () => "time stands still",
      GROUP_TIMES.sessionTimeoutMs * 2,
    );
    paused.millrace.kill("SIGCONT");

    const second = run.produce(shuffled.slice(3 * quarter));
    const added = run.start();
    await second;
    await reached(witness, 1, [paused, steady, added]);
    await spread([paused, steady, added], PARTITIONS);
    const seconds = (performance.now() - startMs) / 1000;
    for (const each of [paused, steady, added]) {
      assert.deepEqual(await each.stop(), { status: 0, signal: null }, each.millrace.stderr.slice(-2_000));
    }
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    assert.equal(await run.uncommitted(witness, all), 0);

    const bound = afterKill + afterPause;
    t.diagnostic(
      `${witness.invocations} invocations, ${witness.failures} failed; ${witness.repeated} records repeated of ${bound}; ${seconds.toFixed(0)} s`,
    );
    assert.deepEqual(witness.breaches.slice(0, 5), []);
    assert.equal(witness.distinct, RECORDS);
    for (let key = 0; key < KEYS; key++) assert.equal(witness.succeededOf(`key-${key}`), PER_KEY);
    assert.ok(
      witness.repeated <= bound,
      `${witness.repeated} records repeated, where at most ${bound} may be`,
    );
    assert.ok(witness.failures > 0);
  },
);

/** Records of a process that is gone that succeeded and that no commit calls settled; others commit theirs later. */
async function mayRepeat(
  run: KafkaRun,
  witness: KafkaWitness,
  partitions: readonly number[],
): Promise<number> {
  // What had reached the function when its caller was gone is still answered.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return await run.uncommitted(witness, partitions);
}

async function reached(
  witness: KafkaWitness,
  share: number,
  processes: readonly KafkaProcess[],
): Promise<void> {
  await until(
    () => witness.distinct >= share * RECORDS || witness.breaches.length > 0,
    () =>
      `${witness.distinct} of ${share * RECORDS} came: ${processes.map(({ millrace }) => millrace.stderr.slice(-1_500)).join("\n")}`,
    600_000,
  );
}

/** Every key as often as it has records, in a random order. */
function shuffledKeys(random: () => number): number[] {
  const keys = Array.from({ length: RECORDS }, (_, index) => index % KEYS);
  for (let last = keys.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [keys[last], keys[other]] = [keys[other] ?? 0, keys[last] ?? 0];
  }
  return keys;
}

/** Mulberry32: the same run of chances for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
