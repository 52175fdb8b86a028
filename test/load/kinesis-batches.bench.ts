/**
 * What a record of Kinesis costs on its way to an HTTP function, in batches of 100, 10 and 1, against bare sockets that
 * read the same pages, write the same events and post them. Run alone with `node test/load/kinesis-batches.bench.ts`.
 */
import { openKinesisSource } from "../../connectors/kinesis/connector.ts";
import { createKinesisEvents, createRecordFactory } from "../../connectors/kinesis/event.ts";
import { readPage } from "../../connectors/kinesis/raw-records.ts";
import { ShardQuotas } from "../../connectors/kinesis/shard-quota.ts";
import { parseStreamArn } from "../../connectors/kinesis/stream-arn.ts";
import { createHttpFunction } from "../../src/functions/http.ts";
import { useAwsEnvironment } from "../servers/aws-environment.ts";
import { startDispatchServer } from "./dispatch-server.ts";
import { runEngine } from "./engine-run.ts";
import { PAGE_RECORDS, startCannedKinesis } from "./kinesis-server.ts";
import { type Measurement, median, printWhenRunAlone, rowOf } from "./measurement.ts";
import { RawPost } from "./raw-post.ts";

export const name = "Kinesis, by the size of batches";

const ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/bench";
const SHARDS = 4;
const PAGES = 10;
const RECORDS = SHARDS * PAGES * PAGE_RECORDS;
const ROUNDS = 5;
const WARM_UP_ROUNDS = 2;
const NO_QUOTA = { callsPerSecond: 1e9, bytesPerSecond: 1e15 };
const MICROS_MAX = new Map([
  [100, 7],
  [10, 10],
  [1, 35],
]);

export async function run(): Promise<readonly Measurement[]> {
  const kinesis = await startCannedKinesis(SHARDS, PAGES);
  const functionServer = await startDispatchServer();
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint });
  const target = createHttpFunction({ url: functionServer.url, connections: SHARDS });
  const source = await openKinesisSource(ARN, {
    quotas: new ShardQuotas(NO_QUOTA, () => performance.now()),
    idleReadMs: 0,
  });
  const rows: Measurement[] = [];
  for (const [batchSize, goal] of MICROS_MAX) {
    const batchingWindowMs = batchSize > 1 ? 300_000 : 0;
    const bare: number[] = [];
    const whole: number[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const micros = {
        bare: await microsOf(() => bareShards(kinesis.endpoint, functionServer.url, batchSize)),
        whole: await microsOf(() => runEngine(source, target, { batchSize, batchingWindowMs })),
      };
      if (round < WARM_UP_ROUNDS) continue;
      bare.push(micros.bare);
      whole.push(micros.whole);
    }
    const row = { work: `Kinesis, batches of ${batchSize} × 1 KB`, limit: median(bare) };
    rows.push(rowOf(row, median(whole), "CPU µs/record", goal));
  }
  await Promise.all([target.close(), source.close()]);
  await Promise.all([kinesis.close(), functionServer.close()]);
  return rows;
}

/** All pages of all shards, the shards at once, without the engine, signatures or limits. */
async function bareShards(endpoint: string, functionUrl: string, batchSize: number): Promise<void> {
  const events = createKinesisEvents(ARN);
  const readShard = async (shardId: string) => {
    const reading = new RawPost(endpoint);
    const posting = new RawPost(functionUrl);
    const makeRecord = createRecordFactory(parseStreamArn(ARN), shardId);
    for (let page = 0; page < PAGES; page++) {
      const body = Buffer.from(JSON.stringify({ ShardIterator: String(page) }));
      const answer = await reading.post(body, "x-amz-target: Kinesis_20131202.GetRecords\r\n");
      const records = readPage(answer).records.map(({ sequenceNumber, partitionKey, data, arrivalMs }) =>
        makeRecord(sequenceNumber, partitionKey, data, arrivalMs),
      );
      for (let from = 0; from < records.length; from += batchSize)
        await posting.post(events.encode(records.slice(from, from + batchSize), undefined));
    }
    reading.close();
    posting.close();
  };
  await Promise.all(
    Array.from({ length: SHARDS }, (_, index) => readShard(`shardId-${String(index).padStart(12, "0")}`)),
  );
}

/** CPU time of this process for each record. */
async function microsOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / RECORDS;
}

await printWhenRunAlone(import.meta.url, run);
