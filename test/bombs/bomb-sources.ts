import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { useAwsEnvironment } from "../servers/aws-environment.ts";
import { startKinesisLocal } from "../servers/kinesis-local.ts";
import { KinesisTestStream } from "../servers/kinesis-stream.ts";
import { sealAggregate } from "../unit/connectors/kinesis/aggregate-writer.ts";
import { HOSTILE_ANSWERS } from "./bomb-functions.ts";

/** What `bomb-broker.ts` prints. */
export interface BombBroker {
  readonly port: number;
  readonly framePorts: readonly number[];
  readonly names: readonly string[];
  readonly last: readonly number[];
}

export async function startBombBroker(
  stack: AsyncDisposableStack,
  emptyRecords: number,
): Promise<BombBroker> {
  const script = join(import.meta.dirname, "../unit/connectors/kafka/bomb-broker.ts");
  const broker = spawn(process.execPath, [script, String(emptyRecords)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(() => killed(broker));
  const [line] = await once(createInterface({ input: broker.stdout }), "line");
  return JSON.parse(String(line));
}

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

interface Aggregate {
  readonly name: string;
  /** Of user records whose key belongs to this shard. */
  readonly data: (shard: number) => Buffer;
  /** As how many records it is delivered. */
  readonly delivered: number;
}

/** The least that a user record can be: the first key, and a byte of data. */
const LEAST_RECORD = Buffer.from([0x1a, 5, 8, 0, 0x1a, 1, 0x64]);

function aggregate(name: string, keyBytes: number, records: number, delivered: number): Aggregate {
  return {
    name,
    data: (shard) => {
      const key = Buffer.from(keyOf(name, keyBytes, shard));
      const head = Buffer.concat([Buffer.from([10]), unsignedVarint(key.length), key]);
      return sealAggregate(Buffer.concat([head, ...Array<Buffer>(records).fill(LEAST_RECORD)]));
    },
    delivered,
  };
}

function keyOf(name: string, keyBytes: number, shard: number): string {
  for (let number = 0; ; number++) {
    const key = `${name}~${number}`.padEnd(keyBytes, "k");
    if (shardOf(BigInt(`0x${hash("md5", key)}`)) === shard) return key;
  }
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** What costs more than it weighs, of the kind that the Kinesis Producer Library writes. */
const AGGREGATES: readonly Aggregate[] = [
  aggregate("kpl-key-of-700-KB", 700_000, 10_000, 1),
  aggregate("kpl-key-of-1-KB", 1_000, 99_000, 99_000),
  aggregate("kpl-more-records-than-fit", 40, 116_000, 1),
  { name: "kpl-damaged", data: () => sealAggregate(Buffer.alloc(900_000, 0x1a)), delivered: 1 },
];
const HASH_KEYS_A_SHARD = 2n ** 128n / BigInt(AGGREGATES.length);

function shardOf(hashKey: bigint): number {
  return Number(hashKey / HASH_KEYS_A_SHARD);
}

export interface FanOut {
  readonly consumerArn: string;
  readonly environment: Readonly<Record<string, string>>;
  /** With the number of records that each becomes. */
  readonly bombs: readonly Pick<Aggregate, "name" | "delivered">[];
}

/** A stream with a consumer, and a shard for each aggregate, between the good records `before-N` and `behind-N`. */
export async function startFanOut(stack: AsyncDisposableStack): Promise<FanOut> {
  const server = await startKinesisLocal();
  stack.defer(() => server.close());
  const environment = { AWS_ENDPOINT_URL_KINESIS: server.endpoint };
  useAwsEnvironment(environment);
  const stream = await KinesisTestStream.create(server.endpoint, AGGREGATES.length);
  stack.defer(() => stream.close());
  const consumerArn = await stream.registerConsumer();
  for (const [index, { name, data }] of AGGREGATES.entries()) {
    const hashKey = String(HASH_KEYS_A_SHARD * BigInt(index) + 1n);
    await stream.put([{ key: `before-${index}`, data: "x", hashKey }]);
    await stream.put([{ key: name, data: data(index), hashKey }]);
    await stream.put([{ key: `behind-${index}`, data: "x", hashKey }]);
  }
  return { consumerArn, environment, bombs: AGGREGATES };
}

export const CALM = "calm";

/** A stream for each hostile answer of a function, with the bomb between good records, and one that is fed for ever. */
export function makeLocalStreams(stack: AsyncDisposableStack, path: string): () => void {
  const file = openStreamFile(path);
  stack.defer(() => file.close());
  for (const [index, answer] of HOSTILE_ANSWERS.entries()) {
    const stream = file.createStream({ name: `hostile-${index}`, shards: 1 });
    stream.append(["before", answer, "behind"].map((partitionKey) => ({ partitionKey, data: "x" })));
  }
  const calm = file.createStream({ name: CALM, shards: 1 });
  return () => void calm.append([{ partitionKey: String(Date.now()), data: "x" }]);
}
