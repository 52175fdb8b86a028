/**
 * What accepting, keeping and running an asynchronous event costs against `pg-boss` on the same PostgreSQL and BullMQ
 * on a Redis that writes each command to its disk: the same payload, the same durability, handlers that do nothing.
 * Each side accepts and runs in one process of its own; rounds in turn. PostgreSQL is fetched from Maven, Redis from
 * Debian, the rivals from npm. Run alone with `node test/load/async-events.bench.ts`.
 */
import { startPostgres } from "../servers/postgres.ts";
import { startRedis } from "../servers/redis.ts";
import type { EventWork } from "./event-sides.ts";
import { type EventRun, startEventWorker } from "./event-worker.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "asynchronous events";

const WARM_UP_EVENTS = 3_000;
const EVENTS = 3_000;
const ROUNDS = 5;
const LATENCY_EVENTS = 60;
const GOAL = 1;
const LATENCY_GOAL_MS = 10;

type Side = "millrace" | "pg-boss" | "pg-boss with NOTIFY" | "BullMQ";

interface Found {
  readonly runs: EventRun[];
  p50Ms: number;
}

export async function run(): Promise<readonly Measurement[]> {
  const postgres = await startPostgres();
  const redis = await startRedis();
  try {
    const url = () => postgres.createDatabase();
    return linesOf(
      await measureInTurn({
        millrace: { kind: "millrace", url: await url() },
        "pg-boss": { kind: "pg-boss", url: await url(), notify: false },
        "pg-boss with NOTIFY": { kind: "pg-boss", url: await url(), notify: true },
        BullMQ: { kind: "bullmq", port: redis.port },
      }),
    );
  } finally {
    await redis.close();
    await postgres.close();
  }
}

/** The sides in turn, round by round, when all are warm: what the machine does meanwhile hits each. */
async function measureInTurn(works: Readonly<Record<Side, EventWork>>): Promise<Record<Side, Found>> {
  const sides = Object.keys(works) as Side[];
  const workers = await Promise.all(sides.map((side) => startEventWorker(works[side])));
  const found = {} as Record<Side, Found>;
  try {
    for (const [index, side] of sides.entries()) {
      await workers[index]?.run(WARM_UP_EVENTS);
      found[side] = { runs: [], p50Ms: (await workers[index]?.latency(LATENCY_EVENTS))?.p50Ms ?? Number.NaN };
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, side] of sides.entries()) {
        const each = await workers[index]?.run(EVENTS);
        if (each !== undefined) found[side].runs.push(each);
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
  return found;
}

function linesOf(found: Record<Side, Found>): readonly Measurement[] {
  const rivals: readonly Side[] = ["pg-boss", "pg-boss with NOTIFY"];
  const [rival = "pg-boss"] = rivals.toSorted((a, b) => costOf(found[a]) - costOf(found[b]));
  const ratios = ratiosOf(found[rival], found.millrace);
  const ratio = median(ratios);
  const { p50Ms } = found.millrace;
  const events = "events accepted, kept and run per CPU second of the process, 1 KB each";
  return [
    ...(Object.keys(found) as Side[]).flatMap((side) => linesOfSide(side, found[side])),
    ...ratios.map((value, round) => ({ metric: `  pair ${round + 1}`, value, unit: "×" })),
    {
      metric: `${events}, against ${rival}`,
      ...{ value: ratio, unit: "×", goal: `≥ ${GOAL.toFixed(1)}`, holds: ratio >= GOAL },
    },
    { metric: `${events}, against BullMQ`, value: median(ratiosOf(found.BullMQ, found.millrace)), unit: "×" },
    {
      metric: "millrace at rest: from accepted to its function, p50",
      ...{ value: p50Ms, unit: "ms", goal: `≤ ${LATENCY_GOAL_MS}`, holds: p50Ms <= LATENCY_GOAL_MS },
    },
  ];
}

function linesOfSide(side: Side, each: Found): readonly Measurement[] {
  const perSecond = median(each.runs.map(({ eventsPerSecond }) => eventsPerSecond));
  return [
    { metric: `${side}: cost of an event`, value: costOf(each), unit: "CPU µs" },
    { metric: `${side}: speed with 64 callers`, value: perSecond, unit: "events/s" },
    { metric: `${side}: from accepted to its handler at rest, p50`, value: each.p50Ms, unit: "ms" },
  ];
}

function costOf({ runs }: Found): number {
  return median(runs.map(({ cpuMicros }) => cpuMicros));
}

function ratiosOf(rival: Found, own: Found): readonly number[] {
  return rival.runs.map(({ cpuMicros }, round) => cpuMicros / (own.runs[round]?.cpuMicros ?? Number.NaN));
}

await printWhenRunAlone(import.meta.url, run);
