/**
 * What the whole engine costs for one record an invocation: with a backlog that its budget holds, with one far beyond
 * it, and with thousands of slow calls in flight; each against bare sockets that post the same bytes.
 * Run alone with `node test/load/backlog.bench.ts`.
 */
import { createHttpFunction } from "../../src/functions/http.ts";
import { createCannedStream } from "./canned-stream.ts";
import { startDispatchServer } from "./dispatch-server.ts";
import { runEngine } from "./engine-run.ts";
import { benchEvent } from "./http-target.bench.ts";
import { type Measurement, median, printWhenRunAlone, rowOf } from "./measurement.ts";
import { postAll } from "./raw-post.ts";

export const name = "Batches of one, and their backlog";

const ROUNDS = 3;
const SHARDS = 8;
const MICROS_MAX = 30;
const SLOW_MS = 100;
const SLOW_RATE_MIN = 30_000;
const DATA = Buffer.alloc(1_024, 7);

interface Load {
  readonly work: string;
  readonly records: number;
  readonly inFlight: number;
  readonly delayMs: number;
}

/** The budget of a mapping is 256 MiB, and a record of 1 KB takes 1.5 of it. */
const WITHIN: Load = { work: "within the budget", records: 80_000, inFlight: 64, delayMs: 0 };
const BEYOND: Load = { work: "a backlog beyond the budget", records: 320_000, inFlight: 64, delayMs: 0 };
const SLOW: Load = { work: "4,000 in flight", records: 160_000, inFlight: 4_000, delayMs: SLOW_MS };

export async function run(): Promise<readonly Measurement[]> {
  const [within, beyond, slow] = [await measure(WITHIN), await measure(BEYOND), await measure(SLOW)];
  return [
    dispatchRow(WITHIN, within),
    dispatchRow(BEYOND, beyond),
    {
      metric: `engine and HTTP, batches of 1, ${SLOW.work} at ${SLOW_MS} ms`,
      value: slow.rate,
      unit: "records/s",
      goal: `≥ ${SLOW_RATE_MIN}`,
      holds: slow.rate >= SLOW_RATE_MIN,
      row: {
        work: `engine and HTTP, batches of 1, ${SLOW.work} at ${SLOW_MS} ms`,
        limit: slow.rawRate,
      },
    },
    { metric: `the same, ${SLOW.work}`, value: slow.micros, unit: "CPU µs/record" },
  ];
}

function dispatchRow({ work }: Load, { micros, rawMicros }: Found): Measurement {
  const row = { work: `engine and HTTP, batches of 1, ${work}`, limit: rawMicros };
  return rowOf(row, micros, "CPU µs/record", MICROS_MAX);
}

interface Found {
  readonly micros: number;
  readonly rawMicros: number;
  readonly rate: number;
  readonly rawRate: number;
}

async function measure({ records, inFlight, delayMs }: Load): Promise<Found> {
  const server = await startDispatchServer(delayMs);
  const target = createHttpFunction({ url: server.url, connections: inFlight });
  const key = (index: number) => `key-${index % 5_000}`;
  const source = createCannedStream({ shards: SHARDS, recordsPerShard: records / SHARDS, data: DATA, key });
  const event = benchEvent();
  const raw = () => {
    let left = records;
    return postAll(server.url, inFlight, () => (left-- > 0 ? event : undefined));
  };
  const parallelizationFactor = inFlight / SHARDS;
  const whole = () => runEngine(source, target, { batchSize: 1, parallelizationFactor });
  const costs = { raw: [] as Cost[], whole: [] as Cost[] };
  // The first round warms connections and compilers up.
  for (let round = 0; round <= ROUNDS; round++) {
    const pair = { raw: await costOf(raw), whole: await costOf(whole) };
    if (round === 0) continue;
    costs.raw.push(pair.raw);
    costs.whole.push(pair.whole);
  }
  await target.close();
  await server.close();
  const micros = (of: readonly Cost[]) => median(of.map((cost) => cost.cpuMicros)) / records;
  const rate = (of: readonly Cost[]) => records / (median(of.map(({ ms }) => ms)) / 1_000);
  return {
    micros: micros(costs.whole),
    rawMicros: micros(costs.raw),
    rate: rate(costs.whole),
    rawRate: rate(costs.raw),
  };
}

interface Cost {
  readonly cpuMicros: number;
  readonly ms: number;
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMicros: user + system, ms: performance.now() - startedMs };
}

await printWhenRunAlone(import.meta.url, run);
