/**
 * What the AWS SDK costs for a page of GetRecords, what its options save, and what engine and connector cost around it,
 * against a bare loop that reads with the same client and posts the same events.
 * Run alone with `node test/load/kinesis-sdk.bench.ts`.
 */
import { GetRecordsCommand, KinesisClient, type KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { SmithyRpcV2CborProtocol } from "@smithy/core/cbor";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Pool } from "undici";
import { openKinesisSource } from "../../connectors/kinesis/connector.ts";
import { createKinesisEvents, createRecordFactory } from "../../connectors/kinesis/event.ts";
import { createSdkApi } from "../../connectors/kinesis/sdk-api.ts";
import { ShardQuotas } from "../../connectors/kinesis/shard-quota.ts";
import { parseStreamArn } from "../../connectors/kinesis/stream-arn.ts";
import { createHttpFunction } from "../../src/functions/http.ts";
import { useAwsEnvironment } from "../servers/aws-environment.ts";
import { startDispatchServer } from "./dispatch-server.ts";
import { runEngine } from "./engine-run.ts";
import { ENDLESS, PAGE_RECORDS, startCannedKinesis } from "./kinesis-server.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "Kinesis through the AWS SDK";

const ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/bench";
const SHARDS = 4;
const PAGES = 10;
const BATCH_SIZE = 100;
const ROUNDS = 5;
const NO_ABORT = new AbortController().signal;
const NO_QUOTA = { callsPerSecond: 1e9, bytesPerSecond: 1e15 };

export async function run(): Promise<readonly Measurement[]> {
  const server = await startCannedKinesis(SHARDS, PAGES);
  useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
  try {
    return [...(await comparePages(server.endpoint)), ...(await compareWhole())];
  } finally {
    await server.close();
  }
}

// A page of GetRecords.

async function comparePages(endpoint: string): Promise<readonly Measurement[]> {
  const common = { region: "eu-west-1", maxAttempts: 1 };
  const raw = new Pool(endpoint);
  const api = createSdkApi(parseStreamArn(ARN));
  const cborSettings = { defaultNamespace: "com.amazonaws.kinesis", serviceTarget: "Kinesis_20131202" };
  const variants: Readonly<Record<string, () => Promise<unknown>>> = {
    "the SDK with its own retries and HTTP/1.1": sdkPage({ region: "eu-west-1" }),
    "the SDK without retries": sdkPage(common),
    "the SDK with a cached middleware stack": sdkPage({ ...common, cacheMiddleware: true }),
    "the SDK over rpc-v2-cbor": sdkPage({
      ...common,
      protocol: SmithyRpcV2CborProtocol,
      protocolSettings: cborSettings,
    }),
    "the connector's own reading": () => api.records(ENDLESS, PAGE_RECORDS, NO_ABORT),
    "undici, JSON.parse and base64 by hand": () => rawPage(raw),
  };
  const costs = new Map(Object.keys(variants).map((label) => [label, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [label, page] of Object.entries(variants)) {
      const micros = await cpuMicros(async () => {
        for (let pages = 0; pages < PAGES; pages++) await page();
      });
      // The first round warms connections and compilers up.
      if (round > 0) costs.get(label)?.push(micros / PAGES / 1_000);
    }
  }
  api.close();
  await raw.close();
  return [...costs].map(([label, values]) => ({
    metric: `${PAGE_RECORDS} × 1 KB read by ${label}`,
    value: median(values),
    unit: "CPU ms/page",
  }));
}

function sdkPage(config: KinesisClientConfig & { readonly cacheMiddleware?: boolean }) {
  const client = new KinesisClient({ ...config, requestHandler: new NodeHttpHandler() });
  return async () => {
    const { Records } = await client.send(new GetRecordsCommand({ ShardIterator: ENDLESS, StreamARN: ARN }));
    if (Records?.length !== PAGE_RECORDS) throw new Error("a page came short");
  };
}

async function rawPage(pool: Pool): Promise<void> {
  const { body } = await pool.request({
    method: "POST",
    path: "/",
    headers: { "x-amz-target": "Kinesis_20131202.GetRecords" },
    body: JSON.stringify({ ShardIterator: ENDLESS }),
  });
  const page = (await body.json()) as { Records: { Data: string }[] };
  for (const record of page.Records) Buffer.from(record.Data, "base64");
}

// Reading and invoking.

async function compareWhole(): Promise<readonly Measurement[]> {
  const functionServer = await startDispatchServer();
  const pool = new Pool(functionServer.url, { connections: SHARDS });
  const target = createHttpFunction({ url: functionServer.url, connections: SHARDS });
  const source = await openKinesisSource(ARN, {
    quotas: new ShardQuotas(NO_QUOTA, () => performance.now()),
    idleReadMs: 0,
  });
  const works = {
    sdk: () => eachShard(),
    bare: () => eachShard((body) => post(pool, body)),
    whole: () => runEngine(source, target, { batchSize: BATCH_SIZE, batchingWindowMs: 300_000 }),
  };
  const costs = { sdk: [] as number[], bare: [] as number[], whole: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    for (const work of ["sdk", "bare", "whole"] as const) {
      const micros = await cpuMicros(works[work]);
      if (round > 0) costs[work].push(micros / (SHARDS * PAGES * PAGE_RECORDS));
    }
  }
  await Promise.all([pool.close(), target.close(), source.close()]);
  await functionServer.close();
  const ratio = median(costs.whole.map((whole, round) => whole / (costs.bare[round] ?? Number.NaN)));
  const share = median(
    costs.whole.map((whole, round) => (whole - (costs.bare[round] ?? 0)) / (costs.sdk[round] ?? Number.NaN)),
  );
  const label = `${SHARDS} shards, batches of ${BATCH_SIZE} × 1 KB`;
  const unit = "CPU µs/record";
  return [
    { metric: `the SDK's reading alone, ${label}`, value: median(costs.sdk), unit },
    { metric: `bare loop that reads, encodes and posts, ${label}`, value: median(costs.bare), unit },
    { metric: `whole engine with the Kinesis connector, ${label}`, value: median(costs.whole), unit },
    {
      metric: "whole engine against the bare loop",
      value: ratio,
      unit: "×",
      goal: "≤ 1.3",
      holds: ratio <= 1.3,
    },
    {
      metric: "engine's own share against the SDK's",
      value: share,
      unit: "×",
      goal: "< 0.33",
      holds: share < 1 / 3,
    },
  ];
}

/**
 * Reads all pages of all shards with the connector's own client, the shards at once; `use`, if given, gets event after
 * event.
 */
async function eachShard(use?: (body: Uint8Array) => Promise<void>): Promise<void> {
  const arn = parseStreamArn(ARN);
  const api = createSdkApi(arn);
  const events = createKinesisEvents(ARN);
  const shards = await api.listShards(NO_ABORT);
  const readShard = async (shardId: string): Promise<void> => {
    const makeRecord = createRecordFactory(arn, shardId);
    let iterator: string | undefined = await api.shardIterator(shardId, { kind: "oldest" }, NO_ABORT);
    while (iterator !== undefined) {
      const page = await api.records(iterator, PAGE_RECORDS, NO_ABORT);
      iterator = page.nextIterator;
      if (use === undefined) continue;
      for (let from = 0; from < page.records.length; from += BATCH_SIZE) {
        const records = page.records
          .slice(from, from + BATCH_SIZE)
          .map((record) =>
            makeRecord(record.sequenceNumber, record.partitionKey, record.data, record.arrivalMs),
          );
        await use(events.encode(records, undefined));
      }
    }
  };
  await Promise.all(shards.map(({ shardId }) => readShard(shardId)));
  api.close();
}

async function post(pool: Pool, body: Uint8Array): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await pool.request({ method: "POST", path: "/", headers, body });
  await response.body.text();
}

async function cpuMicros(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

await printWhenRunAlone(import.meta.url, run);
