/**
 * A Kinesis endpoint that is fed page by page, and an HTTP function that counts the records it sees, in a process of
 * their own that costs the measured process nothing. Streams and functions exist as soon as they are named. Run as a
 * script with `node feed-server.ts SHARDS`; prints its port on the first line, ends when its standard input ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { request } from "undici";

export const PAGE_RECORDS = 1_000;
const RECORD_BYTES = 1_024;
const KEYS = 5_000;
/** A sequence number is this and a number of twelve digits. */
const SEQUENCE_HEAD = "49590338271490256608559692538361571095921575";
const SEQUENCE_DIGITS = 12;

export interface FeedServer {
  readonly endpoint: string;
  /** Where events are posted that count for `name`. */
  functionUrl(name: string): string;
  /** Puts so many pages into each shard of the stream `name`. */
  addPages(name: string, pages: number): Promise<void>;
  /** Resolves when the function has seen so many records of `name`, all in all. */
  seen(name: string, records: number): Promise<void>;
  close(): Promise<void>;
}

export async function startFeedServer(shards: number): Promise<FeedServer> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(shards)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const endpoint = `http://127.0.0.1:${await firstLine(child)}`;
  const post = async (path: string, count: number) => {
    const { body } = await request(endpoint + path, {
      method: "POST",
      body: String(count),
      headersTimeout: 0,
    });
    await body.dump();
  };
  return {
    endpoint,
    functionUrl: (name) => `${endpoint}/function/${name}`,
    addPages: (name, pages) => post(`/add/${name}`, pages),
    seen: (name, records) => post(`/seen/${name}`, records),
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.stdin?.end();
      }),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("the server that feeds ended before it listened")));
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
}

class Feed {
  pages = 0;
  #seen = 0;
  readonly #waiting = new Set<{ readonly records: number; readonly done: () => void }>();

  count(records: number): void {
    this.#seen += records;
    for (const waiter of this.#waiting) this.#look(waiter);
  }

  whenSeen(records: number, done: () => void): void {
    const waiter = { records, done };
    this.#waiting.add(waiter);
    this.#look(waiter);
  }

  #look(waiter: { readonly records: number; readonly done: () => void }): void {
    if (this.#seen < waiter.records) return;
    this.#waiting.delete(waiter);
    waiter.done();
  }
}

/** One page as JSON, whose sequence numbers are written anew for each place in a shard. */
class Page {
  readonly #bytes: Buffer;
  readonly #digitsAt: readonly number[];

  constructor() {
    const arrivalSeconds = Date.now() / 1_000;
    const records = Array.from({ length: PAGE_RECORDS }, (_, index) => ({
      SequenceNumber: sequenceNumber(index),
      PartitionKey: `key-${index % KEYS}`,
      Data: randomBytes(RECORD_BYTES).toString("base64"),
      ApproximateArrivalTimestamp: arrivalSeconds,
    }));
    this.#bytes = Buffer.from(JSON.stringify(records));
    this.#digitsAt = records.map(
      ({ SequenceNumber }) => this.#bytes.indexOf(SequenceNumber) + SEQUENCE_HEAD.length,
    );
  }

  at(place: number): Buffer {
    const bytes = Buffer.from(this.#bytes);
    for (const [index, at] of this.#digitsAt.entries()) {
      bytes.write(String(place * PAGE_RECORDS + index).padStart(SEQUENCE_DIGITS, "0"), at, "latin1");
    }
    return bytes;
  }
}

function sequenceNumber(place: number): string {
  return SEQUENCE_HEAD + String(place).padStart(SEQUENCE_DIGITS, "0");
}

interface KinesisRequest {
  readonly StreamARN?: string;
  readonly StreamName?: string;
  readonly ShardIterator?: string;
  readonly StartingSequenceNumber?: string;
}

function serve(shards: number): void {
  const page = new Page();
  const feeds = new Map<string, Feed>();
  const feedOf = (name: string): Feed => {
    const feed = feeds.get(name) ?? new Feed();
    feeds.set(name, feed);
    return feed;
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const [, verb, name = ""] = (incoming.url ?? "").split("/");
      if (verb === "function") {
        feedOf(name).count(recordsOf(body));
        send(response, '{"batchItemFailures":[]}');
      } else if (verb === "add") {
        feedOf(name).pages += Number(body);
        send(response, "");
      } else if (verb === "seen") feedOf(name).whenSeen(Number(body), () => send(response, ""));
      else {
        const action = String(incoming.headers["x-amz-target"]).split(".")[1];
        send(response, answerOf(action, JSON.parse(body) as KinesisRequest, { shards, page, feedOf }));
      }
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(address.port);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}

/** Of a Kinesis or an SQS event a list, of a Kafka event lists by partition. */
function recordsOf(body: string): number {
  const event = JSON.parse(body) as {
    readonly Records?: readonly unknown[];
    readonly records?: Readonly<Record<string, readonly unknown[]>>;
  };
  return event.Records?.length ?? Object.values(event.records ?? {}).flat().length;
}

interface KinesisContent {
  readonly shards: number;
  readonly page: Page;
  feedOf(name: string): Feed;
}

function answerOf(
  action: string | undefined,
  input: KinesisRequest,
  { shards, page, feedOf }: KinesisContent,
): string | Buffer {
  switch (action) {
    case "GetRecords": {
      const [name = "", place = "0"] = (input.ShardIterator ?? "").split(" ");
      if (Number(place) >= feedOf(name).pages)
        return `{"MillisBehindLatest":0,"NextShardIterator":"${name} ${place}","Records":[]}`;
      const head = `{"MillisBehindLatest":1,"NextShardIterator":"${name} ${Number(place) + 1}","Records":`;
      return Buffer.concat([Buffer.from(head), page.at(Number(place)), Buffer.from("}")]);
    }
    case "GetShardIterator": {
      const after = input.StartingSequenceNumber?.slice(-SEQUENCE_DIGITS);
      const place = after === undefined ? 0 : Math.floor(Number(after) / PAGE_RECORDS);
      return JSON.stringify({ ShardIterator: `${streamOf(input)} ${place}` });
    }
    case "ListShards":
      return JSON.stringify({ Shards: Array.from({ length: shards }, (_, index) => openShard(index)) });
    default:
      return JSON.stringify({
        StreamDescriptionSummary: {
          StreamName: streamOf(input),
          StreamARN: input.StreamARN ?? `arn:aws:kinesis:eu-west-1:123456789012:stream/${streamOf(input)}`,
          StreamStatus: "ACTIVE",
          RetentionPeriodHours: 24,
          StreamCreationTimestamp: 1_700_000_000,
          OpenShardCount: shards,
        },
      });
  }
}

function streamOf({ StreamARN, StreamName }: KinesisRequest): string {
  return StreamName ?? StreamARN?.split("/").at(-1) ?? "";
}

function openShard(index: number): object {
  return {
    ShardId: `shardId-${String(index).padStart(12, "0")}`,
    HashKeyRange: { StartingHashKey: String(index), EndingHashKey: String(index) },
    SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(0) },
  };
}

function send(response: ServerResponse, content: string | Buffer): void {
  response.writeHead(200, {
    "content-type": "application/x-amz-json-1.1",
    "content-length": Buffer.byteLength(content),
  });
  response.end(content);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(Number(process.argv[2]));
