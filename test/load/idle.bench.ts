/**
 * What 10,000 idle shards cost: memory that stays after garbage collection, and CPU. In a process of its own, so that
 * nothing else is counted. Run alone with `node test/load/idle.bench.ts`.
 */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { createCannedStream } from "./canned-stream.ts";
import { PLAIN } from "./engine-run.ts";
import { type Measurement, printWhenRunAlone, rowOf } from "./measurement.ts";

export const name = "idle shards";

const SHARDS = 10_000;
/** As Kinesis's own pollers: one read a second and shard. */
const IDLE_READ_MS = 1_000;
const WATCHED_MS = 20_000;
const TAKEN_MS_MAX = 300_000;
const MEMORY_GOAL_MIB = 150;
const CPU_GOAL_PERCENT = 5;
const MIB = 1024 * 1024;
const INSIDE = "inside";

interface IdleCost {
  readonly rssMib: number;
  readonly heapMib: number;
  readonly cpuPercent: number;
}

export async function run(): Promise<readonly Measurement[]> {
  const args = ["--expose-gc", fileURLToPath(import.meta.url), INSIDE];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the idle engine ended with status ${status}: ${stderr}`);
  const { rssMib, heapMib, cpuPercent } = JSON.parse(stdout) as IdleCost;
  const label = `${SHARDS.toLocaleString("en")} idle shards, a read a second each`;
  return [
    { metric: `heap per shard, ${label}`, value: (heapMib * 1024) / SHARDS, unit: "KiB" },
    rowOf({ work: `CPU, ${label}` }, cpuPercent, "% of a core", CPU_GOAL_PERCENT),
    rowOf({ work: `resident memory of the whole process, ${label}` }, rssMib, "MiB", MEMORY_GOAL_MIB),
  ];
}

/** Shards that are open and never hold anything. */
function idleStream(onRead: (shardId: string) => void): StreamSource {
  const canned = createCannedStream({
    shards: SHARDS,
    recordsPerShard: 0,
    data: Buffer.alloc(0),
    key: () => "",
  });
  return {
    ...canned,
    listShards: async (signal) =>
      (await canned.listShards(signal)).map((shard) => ({ ...shard, closed: false })),
    openReader: async (shardId) => ({
      read: async () => {
        onRead(shardId);
        return { records: [], endOfShard: false, lagMs: 0, readAgainAfterMs: IDLE_READ_MS, trimmed: false };
      },
      close: async () => {},
    }),
  };
}

async function measureInside(): Promise<IdleCost> {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const seen = new Set<string>();
  const engine = createQuietEngine();
  engine.start({
    kind: "stream",
    mapping: PLAIN,
    source: idleStream((shardId) => seen.add(shardId)),
    fn: {
      name: "bench",
      target: { invoke: async () => ({ kind: "timedOut" }), close: async () => {} },
      timeoutMs: 30_000,
      concurrency: 1_000,
    },
    destination: undefined,
  });
  const giveUpAt = performance.now() + TAKEN_MS_MAX;
  while (seen.size < SHARDS) {
    if (performance.now() > giveUpAt) throw new Error(`only ${seen.size} shards were read`);
    await sleep(50);
  }
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await sleep(WATCHED_MS);
  const { user, system } = process.cpuUsage(cpu);
  const cpuPercent = (user + system) / 10 / (performance.now() - startMs);
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  await engine.stop(1_000);
  return { rssMib: rss / MIB, heapMib: (heapUsed - before.heapUsed) / MIB, cpuPercent };
}

if (process.argv[2] === INSIDE) console.log(JSON.stringify(await measureInside()));
else await printWhenRunAlone(import.meta.url, run);
