/**
 * What the Lambda event of a batch of Kinesis records costs, against JSON.stringify into bytes. Run alone with
 * `node test/load/encoding.bench.ts`.
 */
import { randomBytes } from "node:crypto";
import { encodeKinesisEvent } from "../../src/model/kinesis-event.ts";
import { cannedRecordFactory } from "./canned-stream.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "encoding of events";

const ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/bench";
const BATCHES = [10, 100, 1_000];
const ROUNDS = 7;
const RECORDS_PER_ROUND = 20_000;
const RATIO_GOAL = 3;

export async function run(): Promise<readonly Measurement[]> {
  return BATCHES.flatMap(compare);
}

function compare(batchSize: number): readonly Measurement[] {
  const makeRecord = cannedRecordFactory("shardId-000000000000");
  const arrivalMs = Date.now();
  const data = Array.from({ length: batchSize }, () => randomBytes(1_024));
  const batch = () =>
    data.map((bytes, index) => makeRecord(String(index), `key-${index % 500}`, bytes, arrivalMs));
  const event: unknown = JSON.parse(Buffer.from(encodeKinesisEvent(batch(), ARN, undefined)).toString());
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const costs = [
      microsPerRecord(batchSize, () => encodeKinesisEvent(batch(), ARN, undefined).length),
      // What a plain implementation does: base64 of each record, then the whole as text, then as bytes.
      microsPerRecord(batchSize, () => {
        for (const bytes of data) bytes.toString("base64");
        return Buffer.from(JSON.stringify(event)).length;
      }),
    ] as const;
    // The first round warms the compiler up.
    if (round === 0) continue;
    ours.push(costs[0]);
    plain.push(costs[1]);
  }
  const ratio = median(plain.map((micros, round) => micros / (ours[round] ?? Number.NaN)));
  const label = `batches of ${batchSize} × 1 KB`;
  return [
    { metric: `JSON.stringify into bytes, ${label}`, value: median(plain), unit: "CPU µs/record" },
    { metric: `records made and encoded, ${label}`, value: median(ours), unit: "CPU µs/record" },
    {
      metric: `encoding against JSON.stringify, ${label}`,
      value: ratio,
      unit: "×",
      goal: `≥ ${RATIO_GOAL}`,
      holds: ratio >= RATIO_GOAL,
    },
  ];
}

/**
 * Processor time, which other processes lengthen less than the clock's. `work` gives a length, so that nothing is left
 * out.
 */
function microsPerRecord(batchSize: number, work: () => number): number {
  const batches = Math.ceil(RECORDS_PER_ROUND / batchSize);
  const before = process.cpuUsage();
  let bytes = 0;
  for (let index = 0; index < batches; index++) bytes += work();
  const { user, system } = process.cpuUsage(before);
  if (bytes === 0) throw new Error("nothing was encoded");
  return (user + system) / (batches * batchSize);
}

await printWhenRunAlone(import.meta.url, run);
