import { randomBytes } from "node:crypto";
import type { FetchPayload } from "../../connectors/kafka/broker-link.ts";
import { ByteWriter } from "../../connectors/kafka/byte-writer.ts";
import type { TopicDescription } from "../../connectors/kafka/cluster.ts";
import { KafkaFault } from "../../connectors/kafka/fault.ts";
import type { LogCluster } from "../../connectors/kafka/leaders.ts";
import type { FetchArgs, KafkaRequests } from "../../connectors/kafka/requests.ts";
import { ScriptedLog } from "./scripted-log.ts";

export interface ScriptedKafkaOptions {
  /** Kafka 3.1 and newer: topics have ids, and a fetch names them. Older ones have neither. */
  readonly hasTopicIds: boolean;
}

interface ScriptedTopic {
  readonly id: string | undefined;
  readonly partitions: readonly ScriptedLog[];
}

const UNKNOWN_TOPIC_OR_PARTITION = 3;
const NOT_LEADER = 6;
const UNKNOWN_TOPIC_ID = 100;
const OFFSET_OUT_OF_RANGE = 1;
const OLDEST = -2;
const LATEST = -1;

/**
 * One broker in memory, with the answers of a real one as far as reading needs them: ids, leader epochs, logs that
 * change.
 */
export class ScriptedKafka {
  readonly #options: ScriptedKafkaOptions;
  readonly #topics = new Map<string, ScriptedTopic>();
  #changed = Promise.withResolvers<void>();

  constructor(options: ScriptedKafkaOptions) {
    this.#options = options;
  }

  create(topic: string, partitions: number): void {
    const id = this.#options.hasTopicIds ? randomBytes(16).toString("base64url") : undefined;
    this.#topics.set(topic, { id, partitions: Array.from({ length: partitions }, () => new ScriptedLog()) });
    this.wake();
  }

  delete(topic: string): void {
    this.#topics.delete(topic);
    this.wake();
  }

  log(topic: string, partition: number): ScriptedLog {
    const log = this.#topics.get(topic)?.partitions[partition];
    if (log === undefined) throw new Error(`no ${topic}-${partition}`);
    return log;
  }

  /** What waits at the broker looks again. */
  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** A client's way to the broker. */
  cluster(): LogCluster {
    const closing = new AbortController();
    const guard = (signal: AbortSignal) => {
      signal.throwIfAborted();
      if (closing.signal.aborted) throw new KafkaFault("closed", "closed");
    };
    return {
      describe: async (topic, signal) => {
        guard(signal);
        return this.#describe(topic);
      },
      broker: async (_nodeId, _lane, signal) => {
        guard(signal);
        return {
          address: "scripted:9092",
          fetch: (args, options) => this.#fetch(args, AbortSignal.any([options.signal, closing.signal])),
          request: async (name, args, options) => {
            guard(options.signal);
            return this.#answer(name, args);
          },
        };
      },
      close: () => closing.abort(),
    };
  }

  #describe(topic: string): TopicDescription {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new KafkaFault("notFound", `There is no topic "${topic}".`);
    return { id: found.id, partitions: found.partitions.map((_, partition) => ({ partition, leader: 1 })) };
  }

  #answer<Name extends keyof KafkaRequests>(name: Name, args: object): KafkaRequests[Name]["answer"] {
    if (name === "ListOffsets") return this.#listOffsets(args as KafkaRequests["ListOffsets"]["args"]);
    if (name !== "OffsetForLeaderEpoch") throw new Error(`the scripted broker knows no ${name}`);
    return this.#epochEnds(args as KafkaRequests["OffsetForLeaderEpoch"]["args"]);
  }

  #listOffsets({ topics }: KafkaRequests["ListOffsets"]["args"]) {
    return answerEach(topics, (topic, { partition, timestamp }) => {
      const log = this.#find(topic, partition);
      const at = Number(timestamp);
      const offset = at === OLDEST ? log.start : at === LATEST ? log.end : (log.offsetAt(at) ?? -1);
      return { partition, errorCode: 0, offset: String(offset) };
    });
  }

  #epochEnds({ topics }: KafkaRequests["OffsetForLeaderEpoch"]["args"]) {
    return answerEach(topics, (topic, { partition, leaderEpoch }) => {
      const { epoch, endOffset } = this.#find(topic, partition).epochEnd(leaderEpoch);
      return { partition, errorCode: 0, leaderEpoch: epoch, endOffset };
    });
  }

  #find(topic: string, partition: number): ScriptedLog {
    const log = this.#topics.get(topic)?.partitions[partition];
    if (log !== undefined) return log;
    const protocolCode = "UNKNOWN_TOPIC_OR_PARTITION";
    throw new KafkaFault("protocol", protocolCode, { protocolCode });
  }

  /** As long as there is nothing, it waits for as long as it was told. */
  async #fetch(args: FetchArgs, signal: AbortSignal): Promise<FetchPayload> {
    const endMs = performance.now() + args.maxWaitTime;
    for (;;) {
      signal.throwIfAborted();
      const topics = args.topics.map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map((asked) => this.#fetchOne(topic, topicId, asked)),
      }));
      const isEmpty = topics.every(({ partitions }) => partitions.every((each) => each.isEmpty));
      const leftMs = endMs - performance.now();
      if (!isEmpty || leftMs <= 0) return encodeAnswer(topics, this.#options.hasTopicIds);
      await this.#waitFor(leftMs, signal);
    }
  }

  async #waitFor(ms: number, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    signal.addEventListener("abort", () => over.resolve(), { once: true });
    await Promise.race([over.promise, this.#changed.promise]);
    clearTimeout(timer);
  }

  #fetchOne(topic: string, topicId: string | undefined, asked: AskedPartition): AnsweredPartition {
    const { partition, fetchOffset, lastFetchedEpoch, maxBytes } = asked;
    const nothing = { partition, errorCode: 0, end: -1, records: NOTHING, isEmpty: false };
    const found = this.#topics.get(topic);
    if (topicId !== found?.id) return { ...nothing, errorCode: UNKNOWN_TOPIC_ID };
    const log = found?.partitions[partition];
    if (log === undefined) return { ...nothing, errorCode: UNKNOWN_TOPIC_OR_PARTITION };
    if (log.takeMove()) return { ...nothing, errorCode: NOT_LEADER };
    const offset = Number(fetchOffset);
    if (lastFetchedEpoch >= 0 && this.#options.hasTopicIds && offset >= log.start) {
      const end = log.epochEnd(lastFetchedEpoch);
      if (end.epoch < 0) return { ...nothing, errorCode: OFFSET_OUT_OF_RANGE };
      if (end.epoch < lastFetchedEpoch || end.endOffset < offset)
        return { ...nothing, end: log.end, diverging: end };
    }
    if (offset < log.start || offset > log.end) return { ...nothing, errorCode: OFFSET_OUT_OF_RANGE };
    const records = log.bytesFrom(offset, maxBytes);
    return { ...nothing, end: log.end, records, aborted: log.aborted, isEmpty: records.length === 0 };
  }
}

type AskedPartition = FetchArgs["topics"][number]["partitions"][number];

interface AnsweredPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly end: number;
  readonly records: Buffer;
  readonly isEmpty: boolean;
  readonly aborted?: ScriptedLog["aborted"];
  readonly diverging?: { readonly epoch: number; readonly endOffset: number };
}

interface AnsweredTopic {
  readonly topic: string;
  readonly topicId: string | undefined;
  readonly partitions: readonly AnsweredPartition[];
}

const NOTHING = Buffer.alloc(0);

function answerEach<Asked, Answer>(
  topics: readonly { readonly topic: string; readonly partitions: readonly Asked[] }[],
  answer: (topic: string, asked: Asked) => Answer,
) {
  const responses = topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((asked) => answer(topic, asked)),
  }));
  return { responses };
}

function encodeAnswer(topics: readonly AnsweredTopic[], byId: boolean): FetchPayload {
  return byId ? { version: 13, payload: encodeById(topics) } : { version: 11, payload: encodeByName(topics) };
}

function encodeById(topics: readonly AnsweredTopic[]): Buffer {
  const writer = new ByteWriter().noTags().int32(0).int16(0).int32(0);
  writer.compactArray(topics, ({ topicId, partitions }) => {
    writer.uuid(topicId).compactArray(partitions, (each) => {
      writer.int32(each.partition).int16(each.errorCode).int64(each.end).int64(each.end).int64(0);
      writer.compactArray(each.aborted ?? [], ({ producerId, firstOffset }) => {
        writer.int64(producerId).int64(firstOffset).noTags();
      });
      writer
        .int32(-1)
        .uvarint(each.records.length + 1)
        .raw(each.records);
      const { diverging } = each;
      if (diverging === undefined) writer.noTags();
      else {
        const tag = new ByteWriter().int32(diverging.epoch).int64(diverging.endOffset).noTags().finish();
        writer.uvarint(1).uvarint(0).uvarint(tag.length).raw(tag);
      }
    });
    writer.noTags();
  });
  return writer.noTags().finish();
}

function encodeByName(topics: readonly AnsweredTopic[]): Buffer {
  const writer = new ByteWriter().int32(0).int16(0).int32(0);
  writer.array(topics, ({ topic, partitions }) => {
    writer.string(topic).array(partitions, (each) => {
      writer.int32(each.partition).int16(each.errorCode).int64(each.end).int64(each.end).int64(0);
      writer.array(each.aborted ?? [], ({ producerId, firstOffset }) => {
        writer.int64(producerId).int64(firstOffset);
      });
      writer.int32(-1).int32(each.records.length).raw(each.records);
    });
  });
  return writer.finish();
}
