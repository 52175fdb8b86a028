/**
 * What tracing costs an invocation, in the whole engine with a function that answers at once: off, on without a sampled
 * trace, and on with every span encoded as it is sent. Run alone with `node test/load/tracing.bench.ts`.
 */
import { randomBytes } from "node:crypto";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { Span, Tracing } from "../../src/ports/tracing.ts";
import { encodeSpans } from "../../src/telemetry/otlp/span-json.ts";
import { createCannedStream } from "./canned-stream.ts";
import { runEngine } from "./engine-run.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "Tracing";

const SHARDS = 8;
const BATCHES = 40_000;
const ROUNDS = 7;
const SPANS_SENT = 512;
/** Less than a tenth of what an invocation over HTTP costs (see Engine dispatch). */
const SAMPLED_MICROS_MAX = 15;

export async function run(): Promise<readonly Measurement[]> {
  const source = createCannedStream({
    shards: SHARDS,
    recordsPerShard: BATCHES / SHARDS,
    data: randomBytes(1024),
    key: (index) => `key-${index % 5_000}`,
  });
  const payload = Buffer.from("null");
  const target: FunctionTarget = {
    invoke: async () => ({ kind: "succeeded", payload }),
    close: async () => {},
  };
  const settings = { batchSize: 1, parallelizationFactor: 8 };
  const micros = async (tracing: Tracing | undefined) => {
    const before = process.cpuUsage();
    await runEngine(source, target, settings, tracing);
    const used = process.cpuUsage(before);
    return (used.user + used.system) / BATCHES;
  };
  const off: number[] = [];
  const unsampled: number[] = [];
  const sampled: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    off.push(await micros(undefined));
    unsampled.push(await micros(tracingWith(0)));
    sampled.push(await micros(tracingWith(1)));
  }
  // The first round warms compilers up.
  const costOf = (measured: readonly number[]) =>
    median(measured.slice(1).map((value, round) => value - (off[round + 1] ?? Number.NaN)));
  const sampledCost = costOf(sampled);
  const unit = "CPU µs/invocation";
  return [
    { metric: "engine without tracing, batches of 1", value: median(off.slice(1)), unit },
    { metric: "tracing, no trace sampled, adds", value: costOf(unsampled), unit },
    {
      metric: "tracing, every trace sampled and encoded, adds",
      value: sampledCost,
      unit,
      goal: `≤ ${SAMPLED_MICROS_MAX}`,
      holds: sampledCost <= SAMPLED_MICROS_MAX,
    },
  ];
}

function tracingWith(ratio: number): Tracing {
  const waiting: Span[] = [];
  const source = { resource: new Map([["service.name", "bench"]]), version: "0" };
  return {
    sampling: { ratio, followsParent: true },
    linksMax: 128,
    record: (span) => {
      waiting.push(span);
      if (waiting.length === SPANS_SENT) encodeSpans(waiting.splice(0), source);
    },
  };
}

await printWhenRunAlone(import.meta.url, run);
