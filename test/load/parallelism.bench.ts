/**
 * What lanes are worth: one shard, a function that takes 0 to 5 ms, factor 10 against factor 1.
 * Run alone with `node test/load/parallelism.bench.ts`.
 */
import { randomBytes } from "node:crypto";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { createCannedStream } from "./canned-stream.ts";
import { runEngine } from "./engine-run.ts";
import { LatencyWheel, seededLatencies } from "./latency-wheel.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "Parallelism per key";

const RECORDS = 10_000;
const ONE_KEY_RECORDS = 2_000;
/**
 * The run with ten lanes takes seconds only, so that what else the machine does weighs on it: the middle one of five.
 */
const FAST_RUNS = 5;

export async function run(): Promise<readonly Measurement[]> {
  const spread = async () => await timeRun(RECORDS, (index) => `key-${index}`, 10);
  const fast: number[] = [];
  for (let run = 0; run < Math.floor(FAST_RUNS / 2); run++) fast.push((await spread()).ms);
  const single = await timeRun(RECORDS, (index) => `key-${index}`, 1);
  while (fast.length < FAST_RUNS) fast.push((await spread()).ms);
  const sameKeySingle = await timeRun(ONE_KEY_RECORDS, () => "key", 1);
  const sameKeySpread = await timeRun(ONE_KEY_RECORDS, () => "key", 10);
  const manyRatio = single.ms / median(fast);
  const oneRatio = sameKeySingle.ms / sameKeySpread.ms;
  const breaks = sameKeySpread.orderBreaks + sameKeySingle.orderBreaks + single.orderBreaks;
  return [
    {
      metric: `${RECORDS} keys: speed of factor 10 against factor 1`,
      value: manyRatio,
      unit: "×",
      goal: "≥ 9",
      holds: manyRatio >= 9,
    },
    {
      metric: "one key: speed of factor 10 against factor 1",
      value: oneRatio,
      unit: "×",
      goal: "≥ 0.95",
      holds: oneRatio >= 0.95,
    },
    {
      metric: "one key: records out of order",
      value: breaks,
      unit: "records",
      goal: "0",
      holds: breaks === 0,
    },
  ];
}

/** The same latencies in every run: the nth call of a run sleeps what the nth call of any other does. */
async function timeRun(records: number, key: (index: number) => string, factor: number) {
  const data = randomBytes(1024);
  const source = createCannedStream({ shards: 1, recordsPerShard: records, data, key });
  const wheel = new LatencyWheel(seededLatencies());
  // Not when the engine says so, which waits for the last checkpoint's interval.
  let endedMs = 0;
  let lastPosition = -1;
  let orderBreaks = 0;
  const target: FunctionTarget = {
    invoke: async (payload) => {
      const position = Number(/"sequenceNumber":"(\d+)"/.exec(Buffer.from(payload).toString("latin1"))?.[1]);
      if (position < lastPosition) orderBreaks++;
      lastPosition = position;
      await wheel.sleep();
      endedMs = performance.now();
      return { kind: "succeeded", payload: EMPTY };
    },
    close: async () => {},
  };
  const startedMs = performance.now();
  await runEngine(source, target, { batchSize: 1, parallelizationFactor: factor });
  return { ms: endedMs - startedMs, orderBreaks };
}

const EMPTY = new Uint8Array(0);

await printWhenRunAlone(import.meta.url, run);
