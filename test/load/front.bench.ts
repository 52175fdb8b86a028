/**
 * What a request to a function costs by the front, with the function in a thread of the same process, against a bare
 * route of fastify that does the same: each side in a process of its own, the sides in turn. Run alone with
 * `node test/load/front.bench.ts`.
 */
import { Pool } from "undici";
import { type FrontWorker, startFrontWorker } from "./front-worker.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "HTTP requests";

const WARM_UP = 10_000;
const REQUESTS = 8_000;
const CONNECTIONS = 16;
const ROUNDS = 5;
const GOAL = 0.5;
const BODY = JSON.stringify({ text: "x".repeat(1_000) });

interface Load {
  readonly label: string;
  readonly body: string | undefined;
}

const LOADS: readonly Load[] = [
  { label: "GET", body: undefined },
  { label: "POST of 1 KB", body: BODY },
];

export async function run(): Promise<readonly Measurement[]> {
  const [front, bare, threaded] = await Promise.all([
    startFrontWorker("front"),
    startFrontWorker("fastify"),
    startFrontWorker("fastify-thread"),
  ]);
  try {
    const lines: Measurement[] = [];
    for (const load of LOADS) lines.push(...(await compare({ front, bare, threaded }, load)));
    return lines;
  } finally {
    await Promise.all([front.close(), bare.close(), threaded.close()]);
  }
}

interface Sides {
  readonly front: FrontWorker;
  readonly bare: FrontWorker;
  /** A route of fastify that calls the same function in a thread, and does nothing else for it. */
  readonly threaded: FrontWorker;
}

async function compare(sides: Sides, load: Load): Promise<readonly Measurement[]> {
  const names = ["front", "bare", "threaded"] as const;
  for (const side of names) await costOf(sides[side], load, WARM_UP);
  const costs = { front: [] as number[], bare: [] as number[], threaded: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of names) costs[side].push(await costOf(sides[side], load, REQUESTS));
  }
  const ratioTo = (other: "bare" | "threaded") =>
    median(costs.front.map((own, round) => (costs[other][round] ?? Number.NaN) / own));
  const { label } = load;
  const ratio = ratioTo("bare");
  const cost = (metric: string, side: keyof Sides) => ({
    metric,
    value: median(costs[side]),
    unit: "CPU µs",
  });
  return [
    cost(`${label}: front and function in a thread`, "front"),
    cost(`${label}: bare route of fastify`, "bare"),
    cost(`${label}: route of fastify that calls the same function in a thread`, "threaded"),
    {
      metric: `${label}: requests per CPU second, front with its function in a thread against a bare route`,
      ...{ value: ratio, unit: "×", goal: `≥ ${GOAL}`, holds: ratio >= GOAL },
    },
    {
      metric: `${label}: … against a route that calls the same function in a thread`,
      ...{ value: ratioTo("threaded"), unit: "×" },
    },
  ];
}

/** CPU microseconds of the server's process for each request. */
async function costOf(side: FrontWorker, { body }: Load, requests: number): Promise<number> {
  const pool = new Pool(side.url, { connections: CONNECTIONS });
  const before = await side.cpuMicros();
  let started = 0;
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const callers = Array.from({ length: CONNECTIONS }, async () => {
    while (started < requests) {
      started += 1;
      const method = body === undefined ? "GET" : "POST";
      const answer = await pool.request({ path: "/", method, headers, body: body ?? null });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`a request was answered with ${answer.statusCode}`);
    }
  });
  await Promise.all(callers);
  const used = (await side.cpuMicros()) - before;
  await pool.close();
  return used / requests;
}

await printWhenRunAlone(import.meta.url, run);
