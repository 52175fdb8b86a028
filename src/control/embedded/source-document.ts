import type {
  EmbeddedDepth,
  EmbeddedQueue,
  EmbeddedStream,
  KeptMessage,
  KeptRecord,
} from "../../ports/embedded-sources.ts";

/** Streams, queues and what they hold, as callers of the API and users of the command line see them. */
export type SourceDocument = Readonly<Record<string, unknown>>;

export function streamDocument(
  { name, shards, retentionMs, createdMs }: EmbeddedStream,
  eventSourceArn: string,
): SourceDocument {
  return {
    name,
    eventSourceArn,
    openShards: shards.filter(({ closed }) => !closed).length,
    shards: shards.map(({ shardId, closed }) => ({ shardId, closed })),
    ...(retentionMs === undefined ? {} : { retentionSeconds: retentionMs / 1000 }),
    ...(createdMs === undefined ? {} : { createdAt: new Date(createdMs).toISOString() }),
  };
}

export function queueDocument(
  queue: EmbeddedQueue,
  depth: EmbeddedDepth,
  eventSourceArn: string,
): SourceDocument {
  const { name, isFifo, holdMs, delayMs, retentionMs, redrive, createdMs } = queue;
  return {
    name,
    eventSourceArn,
    isFifo,
    ...depth,
    holdSeconds: holdMs / 1000,
    delaySeconds: delayMs / 1000,
    ...(retentionMs === undefined ? {} : { retentionSeconds: retentionMs / 1000 }),
    ...(redrive === undefined ? {} : { redrive }),
    ...(isFifo ? { contentBasedDeduplication: queue.contentBasedDeduplication } : {}),
    ...(createdMs === undefined ? {} : { createdAt: new Date(createdMs).toISOString() }),
  };
}

export function recordDocument(record: KeptRecord): SourceDocument {
  const { shardId, sequenceNumber, key, arrivalMs, data, bytes } = record;
  const text = asText(data);
  return {
    shardId,
    sequenceNumber,
    key,
    arrivedAt: new Date(arrivalMs).toISOString(),
    bytes,
    ...(text === undefined ? { dataBase64: Buffer.from(data).toString("base64") } : { data: text }),
    ...(data.length < bytes ? { isCut: true } : {}),
  };
}

export function messageDocument(message: KeptMessage): SourceDocument {
  const { messageId, groupId, receiveCount, sentMs, deadLetterSource, body } = message;
  return {
    messageId,
    ...(groupId === undefined ? {} : { group: groupId }),
    sentAt: new Date(sentMs).toISOString(),
    receiveCount,
    ...(deadLetterSource === undefined ? {} : { deadLetterSource }),
    body,
  };
}

/** `undefined`: it is no UTF-8, or was cut within a character. */
function asText(data: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return undefined;
  }
}
