import { ByteWriter } from "./byte-writer.ts";
import { ByteReader } from "./bytes.ts";
import type { FetchArgs, KafkaRequests, MetadataAnswer } from "./requests.ts";

/**
 * Requests in versions that kafkajs does not encode (decision 0013): topic ids and leader epochs came after it. Brokers
 * that are older get kafkajs's.
 */
export interface OwnRequest<Args, Answer> {
  readonly version: number;
  /** Behind the request's header, the header's own tagged fields first where the version has them. */
  encode(args: Args): Buffer;
  /** Behind the correlation id. @throws RangeError when the bytes end too early. */
  decode(payload: Buffer): Answer;
}

type Own = {
  readonly [Name in keyof KafkaRequests]?: OwnRequest<
    KafkaRequests[Name]["args"],
    KafkaRequests[Name]["answer"]
  >;
};

export const OWN_REQUESTS: Own = {
  Metadata: { version: 10, encode: encodeMetadata, decode: decodeMetadata },
  OffsetCommit: { version: 6, encode: encodeOffsetCommit, decode: decodeOffsetCommit },
  OffsetFetch: { version: 5, encode: encodeOffsetFetch, decode: decodeOffsetFetch },
  OffsetForLeaderEpoch: {
    version: 3,
    encode: encodeOffsetForLeaderEpoch,
    decode: decodeOffsetForLeaderEpoch,
  },
};

/** The first with topic ids: what belongs to another topic of the name is refused by the broker itself. */
export const FETCH_BY_TOPIC_ID = 13;
const NO_REPLICA = -1;
const NO_SESSION = 0;
const FINAL_EPOCH = -1;
const UNKNOWN_OFFSET = -1;

/** A Fetch of version 13, which names topics by their ids. */
export function encodeFetchByTopicId(args: FetchArgs): Buffer {
  const writer = new ByteWriter().noTags();
  writer.int32(NO_REPLICA).int32(args.maxWaitTime).int32(args.minBytes).int32(args.maxBytes);
  writer.int8(args.isolationLevel).int32(NO_SESSION).int32(FINAL_EPOCH);
  writer.compactArray(args.topics, ({ topicId, partitions }) => {
    writer.uuid(topicId);
    writer.compactArray(partitions, ({ partition, fetchOffset, lastFetchedEpoch, maxBytes }) => {
      writer.int32(partition).int32(-1).int64(Number(fetchOffset)).int32(lastFetchedEpoch);
      writer.int64(UNKNOWN_OFFSET).int32(maxBytes).noTags();
    });
    writer.noTags();
  });
  // Nothing forgotten, no rack.
  return writer
    .compactArray([], () => undefined)
    .compactString("")
    .noTags()
    .finish();
}

function encodeMetadata({ topics, allowAutoTopicCreation }: KafkaRequests["Metadata"]["args"]): Buffer {
  const writer = new ByteWriter().noTags();
  writer.compactArray(topics, (topic) => writer.uuid(undefined).compactString(topic).noTags());
  // Authorised operations: of the cluster, of the topics.
  return writer
    .int8(allowAutoTopicCreation ? 1 : 0)
    .int8(0)
    .int8(0)
    .noTags()
    .finish();
}

function decodeMetadata(payload: Buffer): MetadataAnswer {
  const reader = new ByteReader(payload);
  const list = <T>(read: () => T) => reader.array(reader.uvarint() - 1, read);
  reader.tags();
  // How long we are throttled.
  reader.skip(4);
  const brokers = list(() => {
    const broker = { nodeId: reader.int32(), host: reader.compactString(), port: reader.int32() };
    reader.compactString();
    reader.tags();
    return broker;
  });
  reader.compactString();
  reader.skip(4);
  const topicMetadata = list(() => {
    const [topicErrorCode, topic, topicId] = [reader.int16(), reader.compactString(), reader.uuid()];
    reader.skip(1);
    const partitionMetadata = list(() => {
      const [partitionErrorCode, partitionId, leader] = [reader.int16(), reader.int32(), reader.int32()];
      reader.skip(4);
      // Replicas, those in sync, those that are offline.
      for (let lists = 0; lists < 3; lists++) list(() => reader.int32());
      reader.tags();
      return { partitionErrorCode, partitionId, leader };
    });
    reader.skip(4);
    reader.tags();
    return { topicErrorCode, topic, ...(topicId === undefined ? {} : { topicId }), partitionMetadata };
  });
  return { brokers, topicMetadata };
}

function encodeOffsetCommit(args: KafkaRequests["OffsetCommit"]["args"]): Buffer {
  const writer = new ByteWriter().string(args.groupId).int32(args.groupGenerationId).string(args.memberId);
  return writer
    .array(args.topics, ({ topic, partitions }) => {
      writer.string(topic).array(partitions, ({ partition, offset, leaderEpoch, metadata }) => {
        writer.int32(partition).int64(Number(offset)).int32(leaderEpoch).string(metadata);
      });
    })
    .finish();
}

function decodeOffsetCommit(payload: Buffer): KafkaRequests["OffsetCommit"]["answer"] {
  const reader = new ByteReader(payload);
  reader.skip(4);
  const responses = topicsOf(reader, () => ({ partition: reader.int32(), errorCode: reader.int16() }));
  return { responses };
}

function encodeOffsetFetch({ groupId, topics }: KafkaRequests["OffsetFetch"]["args"]): Buffer {
  const writer = new ByteWriter().string(groupId);
  return writer
    .array(topics, ({ topic, partitions }) => {
      writer.string(topic).array(partitions, ({ partition }) => writer.int32(partition));
    })
    .finish();
}

function decodeOffsetFetch(payload: Buffer): KafkaRequests["OffsetFetch"]["answer"] {
  const reader = new ByteReader(payload);
  reader.skip(4);
  const responses = topicsOf(reader, () => ({
    partition: reader.int32(),
    offset: String(reader.int64()),
    leaderEpoch: reader.int32(),
    metadata: reader.nullableString(),
    errorCode: reader.int16(),
  }));
  return { responses, errorCode: reader.int16() };
}

function encodeOffsetForLeaderEpoch({ topics }: KafkaRequests["OffsetForLeaderEpoch"]["args"]): Buffer {
  const writer = new ByteWriter().int32(NO_REPLICA);
  return writer
    .array(topics, ({ topic, partitions }) => {
      writer.string(topic).array(partitions, ({ partition, leaderEpoch }) => {
        writer.int32(partition).int32(-1).int32(leaderEpoch);
      });
    })
    .finish();
}

function decodeOffsetForLeaderEpoch(payload: Buffer): KafkaRequests["OffsetForLeaderEpoch"]["answer"] {
  const reader = new ByteReader(payload);
  reader.skip(4);
  const responses = topicsOf(reader, () => {
    const errorCode = reader.int16();
    return {
      partition: reader.int32(),
      errorCode,
      leaderEpoch: reader.int32(),
      endOffset: reader.int64(),
    };
  });
  return { responses };
}

function topicsOf<T>(reader: ByteReader, read: () => T) {
  return reader.array(reader.int32(), () => ({
    topic: reader.string(),
    partitions: reader.array(reader.int32(), read),
  }));
}
