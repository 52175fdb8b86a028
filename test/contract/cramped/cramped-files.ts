import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseQueueArn } from "../../../connectors/local/queue-arn.ts";
import { openLocalQueueSource } from "../../../connectors/local/queue-source.ts";
import { openStreamSender } from "../../../connectors/local/sender.ts";
import { openLocalSource } from "../../../connectors/local/source.ts";
import { parseStreamArn } from "../../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { createFileDestination } from "../../../src/destinations/file.ts";
import type { FailureRecord } from "../../../src/model/failure-record.ts";
import { failureEnvelope } from "../../../src/model/failure-record.ts";
import type { QueueMessage, Settlement } from "../../../src/ports/queue-source.ts";
import type { SendOutcome } from "../../../src/ports/record-sender.ts";

/** Files beside the stores, as their users see them. All that is given and answered goes through messages. */
export interface CrampedFailureFile {
  deliver(record: FailureRecord): Promise<void>;
  /** Of the lines that are whole. */
  acceptedIds(): Promise<readonly string[]>;
}

export interface CrampedStream {
  append(texts: readonly string[]): Promise<void>;
  send(text: string): Promise<SendOutcome | undefined>;
  /** All that is there, from the beginning. */
  read(): Promise<{ readonly texts: readonly string[]; readonly positions: readonly number[] }>;
}

export interface CrampedQueue {
  send(bodies: readonly string[]): Promise<void>;
  receive(messagesMax: number): Promise<readonly string[]>;
  /** These three are of the messages of the first receive. */
  acknowledge(): Promise<readonly Settlement[]>;
  release(): Promise<readonly Settlement[]>;
  extend(): Promise<readonly Settlement[]>;
  /** Of the last receive. */
  receiveCounts(): Promise<readonly number[]>;
}

const NO_ABORT = new AbortController().signal;
const SHARD = "shardId-000000000000";
const NEW_SOURCE = { shards: 1, retentionMs: 86_400_000, visibilityMs: 30_000 };

export function openFailures(folder: string): CrampedFailureFile {
  const path = join(folder, "failed.jsonl");
  const destination = createFileDestination(path);
  return {
    async deliver(record) {
      await destination.deliver(failureEnvelope(record), NO_ABORT);
    },
    async acceptedIds() {
      return readFileSync(path, "utf8").split("\n").flatMap(idOf);
    },
  };
}

export function openStream(folder: string): CrampedStream {
  const path = join(folder, "streams.db");
  const stream = openStreamFile(path).createStream({ name: "orders", shards: 1 });
  const sender = openStreamSender(path, "orders", NEW_SOURCE);
  const arn = parseStreamArn("arn:aws:local:eu-west-1:123456789012:stream/orders");
  const source = openLocalSource(path, arn);
  return {
    append: async (texts) => void stream.append(texts.map((data) => ({ partitionKey: "k", data }))),
    send: async (data) => (await sender.send([{ key: "k", data }]))[0],
    async read() {
      const reader = await source.openReader(SHARD, { kind: "oldest" }, NO_ABORT);
      const { records } = await reader.read(1_000, 1_000_000, NO_ABORT);
      const event = JSON.parse(Buffer.from(source.events.encode(records, undefined)).toString()) as {
        readonly Records: readonly { readonly kinesis: { readonly data: string } }[];
      };
      return {
        texts: event.Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString()),
        positions: records.map(({ position }) => Number(position)),
      };
    },
  };
}

export function openQueue(folder: string): CrampedQueue {
  const path = join(folder, "queues.db");
  const queue = openStreamFile(path).createQueue({ name: "orders" });
  const source = openLocalQueueSource(
    path,
    parseQueueArn("arn:aws:local:eu-west-1:123456789012:queue/orders"),
  );
  const received: (readonly QueueMessage[])[] = [];
  const recordsOf = (messages: readonly QueueMessage[]) => {
    const event = JSON.parse(Buffer.from(source.events.encode(messages)).toString()) as {
      readonly Records: readonly {
        readonly body: string;
        readonly attributes: { readonly ApproximateReceiveCount: string };
      }[];
    };
    return event.Records;
  };
  return {
    send: async (bodies) => void queue.send(bodies.map((body) => ({ body }))),
    async receive(messagesMax) {
      const messages = await source.receive({ messagesMax, waitMs: 0, holdMs: 600_000 }, NO_ABORT);
      received.push(messages);
      return recordsOf(messages).map(({ body }) => body);
    },
    acknowledge: () => source.acknowledge(received[0] ?? []),
    release: () => source.release(received[0] ?? [], 0),
    extend: () => source.extend(received[0] ?? [], 600_000),
    receiveCounts: async () =>
      recordsOf(received.at(-1) ?? []).map(({ attributes }) => Number(attributes.ApproximateReceiveCount)),
  };
}

function idOf(line: string): readonly string[] {
  try {
    return [String((JSON.parse(line) as { readonly id: unknown }).id)];
  } catch {
    return [];
  }
}
