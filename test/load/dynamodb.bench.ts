/**
 * What the engine costs around the AWS SDK's client of DynamoDB Streams, against a bare loop that reads with the same
 * client and calls the same function with the same events. In processor time, since the source is read at its quota.
 * Run alone with `node test/load/dynamodb.bench.ts`.
 */
import { dynamodbStreamsConnector } from "../../connectors/dynamodb-streams/connector.ts";
import { createDynamodbEvents, createRecordFactory } from "../../connectors/dynamodb-streams/event.ts";
import { createSdkStreamApi } from "../../connectors/dynamodb-streams/sdk-stream-api.ts";
import { parseStreamArn } from "../../connectors/dynamodb-streams/stream-arn.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { useAwsEnvironment } from "../servers/aws-environment.ts";
import { PAGE_RECORDS, startCannedDynamodb } from "./dynamodb-server.ts";
import { PLAIN, runEngine } from "./engine-run.ts";
import { type Measurement, median, printWhenRunAlone, rowOf } from "./measurement.ts";

export const name = "DynamoDB Streams through the AWS SDK";

const ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/bench/stream/2026-01-01T00:00:00.000";
const SHARDS = 4;
const PAGES = 5;
const RECORDS = SHARDS * PAGES * PAGE_RECORDS;
const BATCH_SIZE = 100;
const ROUNDS = 5;
const RATIO_MAX = 1.3;
const MICROS_MAX = 10;
const NO_ABORT = new AbortController().signal;
const EMPTY = new Uint8Array(0);

export async function run(): Promise<readonly Measurement[]> {
  const server = await startCannedDynamodb(SHARDS, PAGES);
  useAwsEnvironment({ AWS_ENDPOINT_URL_DYNAMODB_STREAMS: server.endpoint });
  try {
    return await compare();
  } finally {
    await server.close();
  }
}

async function compare(): Promise<readonly Measurement[]> {
  const source = await dynamodbStreamsConnector.openStream({ ...PLAIN, eventSourceArn: ARN }, {});
  const target: FunctionTarget = {
    invoke: async () => ({ kind: "succeeded", payload: EMPTY }),
    close: async () => {},
  };
  const bare: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const costs = [
      await microsPerRecord(() => eachShard(target)),
      await microsPerRecord(() =>
        runEngine(source, target, { batchSize: BATCH_SIZE, batchingWindowMs: 300_000 }),
      ),
    ] as const;
    // The first round warms connections and compilers up.
    if (round === 0) continue;
    bare.push(costs[0]);
    whole.push(costs[1]);
  }
  await source.close();
  const ratio = median(whole.map((micros, round) => micros / (bare[round] ?? Number.NaN)));
  const label = `${SHARDS} shards, batches of ${BATCH_SIZE} × 1 KB`;
  return [
    {
      metric: `bare loop that reads, encodes and calls, ${label}`,
      value: median(bare),
      unit: "CPU µs/record",
    },
    rowOf(
      { work: `DynamoDB Streams, whole engine without its function, ${label}`, limit: median(bare) },
      median(whole),
      "CPU µs/record",
      MICROS_MAX,
    ),
    {
      metric: "whole engine against the bare loop",
      value: ratio,
      unit: "×",
      goal: `≤ ${RATIO_MAX}`,
      holds: ratio <= RATIO_MAX,
    },
  ];
}

/** All pages of all shards, the shards at once. */
async function eachShard(target: FunctionTarget): Promise<void> {
  const arn = parseStreamArn(ARN);
  const api = createSdkStreamApi(arn);
  const events = createDynamodbEvents(ARN);
  const makeRecord = createRecordFactory(arn, "id");
  const times = { deadlineMs: Date.now() + 3_600_000, timeoutMs: 3_600_000 };
  const context = { requestId: "bare", functionName: "bare", functionArn: "bare", ...times };
  const { shards } = await api.describe(undefined, NO_ABORT);
  const readShard = async (shardId: string): Promise<void> => {
    const opened = await api.openIterator(shardId, { kind: "oldest" }, NO_ABORT);
    let iterator = opened.kind === "iterator" ? opened.iterator : undefined;
    while (iterator !== undefined) {
      const page = await api.getRecords(shardId, iterator, PAGE_RECORDS, NO_ABORT);
      if (page.kind !== "records") throw new Error(`a page was ${page.kind}`);
      iterator = page.next;
      for (let from = 0; from < page.records.length; from += BATCH_SIZE) {
        const records = page.records.slice(from, from + BATCH_SIZE).map(makeRecord);
        await target.invoke(events.encode(records, undefined), context, NO_ABORT);
      }
    }
  };
  await Promise.all(shards.map(({ shardId }) => readShard(shardId)));
  api.close();
}

async function microsPerRecord(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / RECORDS;
}

await printWhenRunAlone(import.meta.url, run);
