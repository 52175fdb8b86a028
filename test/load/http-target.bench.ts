/**
 * CPU per request of the HTTP function target against a bare undici loop: what the contract of a function costs.
 * Run alone with `node test/load/http-target.bench.ts`.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { Pool } from "undici";
import { createHttpFunction } from "../../src/functions/http.ts";
import { createKinesisRecordFactory, encodeKinesisEvent } from "../../src/model/kinesis-event.ts";
import { startDispatchServer } from "./dispatch-server.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "HTTP dispatch";

export interface DispatchLoad {
  readonly requests: number;
  readonly inFlight: number;
}

const ROUNDS = 7;
const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:bench";
const TIMEOUT_MS = 30_000;

export async function run(): Promise<readonly Measurement[]> {
  return [
    ...(await compare({ requests: 20_000, inFlight: 64 })),
    ...(await compare({ requests: 20_000, inFlight: 1000 })),
  ];
}

/** The event of one record of 1 KB: what every invocation of the benchmark carries. */
export function benchEvent(): Buffer {
  const eventSourceArn = "arn:aws:kinesis:eu-west-1:123456789012:stream/bench";
  const makeRecord = createKinesisRecordFactory({
    eventSourceArn,
    awsRegion: "eu-west-1",
    invokeIdentityArn: "arn:aws:iam::123456789012:role/bench",
    shardId: "shardId-000000000000",
  });
  const record = makeRecord("1", "key-1", randomBytes(1024), 1_700_000_000_000);
  return Buffer.from(encodeKinesisEvent([record], eventSourceArn, undefined));
}

/** CPU microseconds of this process for each run of `request`, `inFlight` of them at any time. */
export async function cpuPerRequest(load: DispatchLoad, request: () => Promise<unknown>): Promise<number> {
  let started = 0;
  const before = process.cpuUsage();
  const loops = Array.from({ length: load.inFlight }, async () => {
    while (started < load.requests) {
      started += 1;
      await request();
    }
  });
  await Promise.all(loops);
  const used = process.cpuUsage(before);
  return (used.user + used.system) / load.requests;
}

/** The yardstick of the dispatch goals: an undici `Pool` as its documentation shows it, body read as text. */
export function createBareLoop(url: string, inFlight: number, body: Buffer) {
  const pool = new Pool(url, { connections: inFlight });
  return {
    async request(): Promise<void> {
      const response = await pool.request({
        method: "POST",
        path: "/",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.body.text();
    },
    close: () => pool.close(),
  };
}

async function compare(load: DispatchLoad): Promise<readonly Measurement[]> {
  const server = await startDispatchServer();
  const body = benchEvent();
  const bare = createBareLoop(server.url, load.inFlight, body);
  const target = createHttpFunction({ url: server.url, connections: load.inFlight });
  const { signal } = new AbortController();
  const invoke = async (): Promise<void> => {
    const deadlineMs = Date.now() + TIMEOUT_MS;
    const context = { requestId: randomUUID(), functionName: "bench", functionArn: ARN, deadlineMs };
    const outcome = await target.invoke(body, { ...context, timeoutMs: TIMEOUT_MS }, signal);
    if (outcome.kind !== "succeeded") throw new Error(`the benchmark's server answered ${outcome.kind}`);
  };
  const ofBare: number[] = [];
  const ofTarget: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    ofBare.push(await cpuPerRequest(load, bare.request));
    ofTarget.push(await cpuPerRequest(load, invoke));
  }
  await Promise.all([bare.close(), target.close()]);
  await server.close();
  // The first round warms connections and compilers up.
  const ratios = ofBare.slice(1).map((value, round) => value / (ofTarget[round + 1] ?? Number.NaN));
  const label = `${load.inFlight} in flight, 1 KB record`;
  return [
    { metric: `bare undici Pool.request, ${label}`, value: median(ofBare.slice(1)), unit: "CPU µs/request" },
    { metric: `HTTP function target, ${label}`, value: median(ofTarget.slice(1)), unit: "CPU µs/request" },
    {
      metric: `target's requests per CPU second against bare, ${label}`,
      value: median(ratios),
      unit: "×",
      goal: "≥ 0.9, which is as fast as bare within the noise",
      holds: median(ratios) >= 0.9,
    },
  ];
}

await printWhenRunAlone(import.meta.url, run);
