/**
 * What the whole engine costs per invocation and per record, against bare loops that do the same over HTTP.
 * Run alone with `node test/load/engine-dispatch.bench.ts`.
 */
import { randomBytes } from "node:crypto";
import { Pool } from "undici";
import { createHttpFunction } from "../../src/functions/http.ts";
import { encodeKinesisEvent } from "../../src/model/kinesis-event.ts";
import { cannedRecordFactory, createCannedStream } from "./canned-stream.ts";
import { startDispatchServer } from "./dispatch-server.ts";
import { runEngine } from "./engine-run.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "Engine dispatch";

const IN_FLIGHT = 64;
const SHARDS = 8;
const LANES = IN_FLIGHT / SHARDS;
const ROUNDS = 7;

export async function run(): Promise<readonly Measurement[]> {
  return [
    ...(await compare({ batchSize: 1, batches: 40_000, goal: 0.6 })),
    ...(await compare({ batchSize: 100, batches: 4_000, goal: 0.8 })),
  ];
}

interface Load {
  readonly batchSize: number;
  readonly batches: number;
  readonly goal: number;
}

async function compare({ batchSize, batches, goal }: Load): Promise<readonly Measurement[]> {
  const server = await startDispatchServer();
  const data = randomBytes(1024);
  const pool = new Pool(server.url, { connections: IN_FLIGHT });
  const target = createHttpFunction({ url: server.url, connections: IN_FLIGHT });
  const records = batchSize * batches;
  const source = createCannedStream({
    shards: SHARDS,
    recordsPerShard: records / SHARDS,
    data,
    key: (index) => `key-${index % 5_000}`,
  });
  const runWhole = () =>
    runEngine(source, target, {
      batchSize,
      parallelizationFactor: LANES,
      batchingWindowMs: batchSize > 1 ? 300_000 : 0,
    });
  const bare: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    bare.push(await cpuMicros(() => bareLoop(pool, data, batchSize, batches)));
    whole.push(await cpuMicros(runWhole));
  }
  await Promise.all([pool.close(), target.close()]);
  await server.close();
  // The first round warms connections and compilers up.
  const ratio = median(bare.slice(1).map((micros, round) => micros / (whole[round + 1] ?? Number.NaN)));
  const label = `batches of ${batchSize} × 1 KB, ${IN_FLIGHT} in flight`;
  const unit = batchSize === 1 ? "CPU µs/invocation" : "CPU µs/record";
  return [
    { metric: `bare encode-and-post loop, ${label}`, value: median(bare.slice(1)) / records, unit },
    { metric: `whole engine, ${label}`, value: median(whole.slice(1)) / records, unit },
    {
      metric: `engine against bare loop per CPU second, ${label}`,
      value: ratio,
      unit: "×",
      goal: `≥ ${goal}`,
      holds: ratio >= goal,
    },
  ];
}

/** One invocation per request; a batch of one is encoded once and for all, as in a bare request loop. */
async function bareLoop(pool: Pool, data: Buffer, batchSize: number, batches: number): Promise<void> {
  const makeRecord = cannedRecordFactory("shardId-000000000000");
  const arrivalMs = Date.now();
  const encode = () => {
    const records = Array.from({ length: batchSize }, (_, index) =>
      makeRecord(String(index), `key-${index % 5_000}`, data, arrivalMs),
    );
    return encodeKinesisEvent(records, "arn:aws:kinesis:eu-west-1:123456789012:stream/bench", undefined);
  };
  const only = encode();
  let started = 0;
  const loops = Array.from({ length: IN_FLIGHT }, async () => {
    while (started < batches) {
      started++;
      const body = batchSize === 1 ? only : encode();
      const response = await pool.request({
        method: "POST",
        path: "/",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.body.text();
    }
  });
  await Promise.all(loops);
}

async function cpuMicros(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

await printWhenRunAlone(import.meta.url, run);
