/**
 * What the whole engine costs for a message of SQS against `sqs-consumer` with its best settings: the same server, the
 * same function, the same event, pair by pair, each side in a process of its own. The canned SQS counts that each
 * message was processed and deleted once. Run alone with `node test/load/sqs.bench.ts`.
 */
import { type Measurement, median, printWhenRunAlone, rowOf } from "./measurement.ts";
import { type CannedSqs, startCannedSqs } from "./sqs-server.ts";
import {
  type ConsumerWork,
  type Drain,
  type EngineWork,
  type SqsWork,
  type SqsWorker,
  startSqsWorker,
} from "./sqs-worker.ts";

export const name = "SQS against sqs-consumer";

const MESSAGES = 10_000;
/** Until compilers have nothing left to do. */
const WARM_UP_MESSAGES = 40_000;
const ROUNDS = 9;
const TRIAL_ROUNDS = 3;
const GOAL = 1.3;
const MICROS_MAX_ONES = 90;
const MICROS_MAX_TENS = 23;
/** How long each call of a queue takes that is not in the same room, and the consumers that hide it. */
const DISTANCE_MS = 5;
const DISTANT_CONSUMERS = 16;

/** What users of `sqs-consumer` can set: consumers at once, and whether the client checks the MD5 sums of bodies. */
const RIVALS: readonly ConsumerWork[] = [8, 32].flatMap((consumers) =>
  [true, false].map((md5) => ({ kind: "sqs-consumer", consumers, md5 }) as const),
);
const ONES: EngineWork = { kind: "engine", batchSize: 1, batchingWindowMs: 0 };
const TENS: EngineWork = { kind: "engine", batchSize: 10, batchingWindowMs: 0 };
const HUNDREDS: EngineWork = { kind: "engine", batchSize: 100, batchingWindowMs: 1_000 };

export async function run(): Promise<readonly Measurement[]> {
  const near = await withServer(0, async (server) => {
    const rival = await bestRival(server);
    return {
      rival,
      drains: await drainInTurn(server, { ones: ONES, tens: TENS, hundreds: HUNDREDS, rival }, ROUNDS),
    };
  });
  const distantRival = { ...near.rival, consumers: DISTANT_CONSUMERS };
  const far = await withServer(DISTANCE_MS, (server) =>
    drainInTurn(server, { ones: ONES, tens: TENS, hundreds: HUNDREDS, rival: distantRival }, TRIAL_ROUNDS),
  );
  return [...nearLines(near.rival, near.drains), ...farLines(distantRival, far)];
}

async function withServer<T>(delayMs: number, use: (server: CannedSqs) => Promise<T>): Promise<T> {
  const server = await startCannedSqs(delayMs);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/** The settings with which `sqs-consumer` costs least. */
async function bestRival(server: CannedSqs): Promise<ConsumerWork> {
  const medians: { readonly work: ConsumerWork; readonly micros: number }[] = [];
  for (const work of RIVALS) {
    const { only } = await drainInTurn(server, { only: work }, TRIAL_ROUNDS);
    medians.push({ work, micros: median(only.map(({ cpuMicros }) => cpuMicros)) });
  }
  const [best] = medians.toSorted((a, b) => a.micros - b.micros);
  if (best === undefined) throw new Error("there are no settings of sqs-consumer to choose from");
  return best.work;
}

/** Each side in a process of its own; the sides in turn, round by round, when all are warm. */
async function drainInTurn<Side extends string>(
  server: CannedSqs,
  works: Readonly<Record<Side, SqsWork>>,
  rounds: number,
): Promise<Readonly<Record<Side, readonly Drain[]>>> {
  const workers: [Side, SqsWorker][] = [];
  const drains = {} as Record<Side, Drain[]>;
  try {
    for (const side of Object.keys(works) as Side[]) {
      const worker = await startSqsWorker(server, works[side]);
      workers.push([side, worker]);
      await worker.drain(WARM_UP_MESSAGES);
      drains[side] = [];
    }
    for (let round = 0; round < rounds; round++) {
      for (const [side, worker] of workers) drains[side].push(await worker.drain(MESSAGES));
    }
  } finally {
    await Promise.all(workers.map(([, worker]) => worker.close()));
  }
  return drains;
}

type Drains = Readonly<Record<"ones" | "tens" | "hundreds" | "rival", readonly Drain[]>>;

function nearLines(rival: ConsumerWork, drains: Drains): readonly Measurement[] {
  const ratios = ratiosOf(drains.rival, drains.tens);
  const ratio = median(ratios);
  return [
    ...costs(rival, drains),
    ...ratios.map((value, round) => ({ metric: `  pair ${round + 1}`, value, unit: "×" })),
    {
      metric: "messages per CPU second, engine against sqs-consumer, batches of 10 both",
      value: ratio,
      unit: "×",
      goal: `≥ ${GOAL}`,
      holds: ratio >= GOAL,
    },
    {
      metric: "… engine with batches of 100, sqs-consumer with its 10",
      value: median(ratiosOf(drains.rival, drains.hundreds)),
      unit: "×",
    },
  ];
}

function farLines(rival: ConsumerWork, drains: Drains): readonly Measurement[] {
  const rate = (side: keyof Drains) => median(drains[side].map(({ messagesPerSecond }) => messagesPerSecond));
  const label = `calls of ${DISTANCE_MS} ms`;
  return [
    { metric: `engine, batches of 10, ${label}`, value: rate("tens"), unit: "messages/s" },
    { metric: `engine, batches of 100, ${label}`, value: rate("hundreds"), unit: "messages/s" },
    { metric: `${describe(rival)}, ${label}`, value: rate("rival"), unit: "messages/s" },
    {
      metric: `messages per CPU second, engine against sqs-consumer, batches of 10 both, ${label}`,
      value: median(ratiosOf(drains.rival, drains.tens)),
      unit: "×",
    },
  ];
}

function costs(rival: ConsumerWork, drains: Drains): readonly Measurement[] {
  const cost = (side: keyof Drains) => median(drains[side].map(({ cpuMicros }) => cpuMicros));
  const unit = "CPU µs/message";
  return [
    rowOf({ work: "SQS, whole engine, batches of 1 × 1 KB" }, cost("ones"), unit, MICROS_MAX_ONES),
    rowOf({ work: "SQS, whole engine, batches of 10 × 1 KB" }, cost("tens"), unit, MICROS_MAX_TENS),
    { metric: "whole engine, batches of 100 × 1 KB", value: cost("hundreds"), unit },
    { metric: `${describe(rival)}, batches of 10 × 1 KB`, value: cost("rival"), unit },
  ];
}

function ratiosOf(rival: readonly Drain[], engine: readonly Drain[]): readonly number[] {
  return rival.map(({ cpuMicros }, round) => cpuMicros / (engine[round]?.cpuMicros ?? Number.NaN));
}

function describe({ consumers, md5 }: ConsumerWork): string {
  return `${consumers} × sqs-consumer ${md5 ? "with" : "without"} MD5 checks`;
}

await printWhenRunAlone(import.meta.url, run);
