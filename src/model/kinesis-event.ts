import { isoSeconds } from "./failure-record.ts";
import { base64Length, isPlainAscii, JsonBytesWriter, quoteJson } from "./json-bytes.ts";
import type { StreamRecord, TumblingWindow } from "./record.ts";

/**
 * The Kinesis event (streams §6), shared by the connectors whose functions see Kinesis records: a handler written for
 * Kinesis reads a local stream unchanged.
 */
export interface KinesisRecord extends StreamRecord {
  readonly key: string;
  readonly data: Buffer;
  /** The element of `Records` before and behind the base64 of `data`. */
  readonly prefix: string;
  readonly suffix: string;
  /** `prefix` holds a character above ASCII: it must be written as UTF-8. */
  readonly isPrefixAscii: boolean;
}

export interface KinesisEventSource {
  readonly eventSourceArn: string;
  readonly awsRegion: string;
  readonly invokeIdentityArn: string;
  readonly shardId: string;
}

const EMPTY_ENVELOPE = '{"Records":[]}';
export const KINESIS_ENVELOPE_BYTES = EMPTY_ENVELOPE.length;

/** Per-record bookkeeping in memory beside the data: object, strings, Buffer header. */
const RECORD_OVERHEAD_BYTES = 512;

/** Makes the records of one shard; what all of them share is written once. */
export function createKinesisRecordFactory(source: KinesisEventSource) {
  const tailStart = `,"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"${source.shardId}:`;
  const tailEnd =
    `","eventName":"aws:kinesis:record","invokeIdentityArn":${quoteJson(source.invokeIdentityArn)}` +
    `,"awsRegion":${quoteJson(source.awsRegion)},"eventSourceARN":${quoteJson(source.eventSourceArn)}}`;
  return (position: string, key: string, data: Buffer, arrivalMs: number): KinesisRecord => {
    const prefix = `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":${quoteJson(key)},"sequenceNumber":"${position}","data":"`;
    const suffix = `","approximateArrivalTimestamp":${arrivalMs / 1000}}${tailStart}${position}${tailEnd}`;
    const isPrefixAscii = isPlainAscii(key);
    const prefixBytes = isPrefixAscii ? prefix.length : Buffer.byteLength(prefix);
    return {
      position,
      key,
      arrivalMs,
      data,
      prefix,
      suffix,
      isPrefixAscii,
      bytes: data.length + RECORD_OVERHEAD_BYTES,
      encodedBytes: prefixBytes + base64Length(data.length) + suffix.length,
    };
  };
}

export function encodeKinesisEvent(
  records: readonly KinesisRecord[],
  eventSourceArn: string,
  window: TumblingWindow | undefined,
): Uint8Array {
  const windowMembers = window === undefined ? "" : encodeWindowMembers(window, eventSourceArn);
  let byteLength =
    KINESIS_ENVELOPE_BYTES + Buffer.byteLength(windowMembers) + Math.max(0, records.length - 1);
  for (const record of records) byteLength += record.encodedBytes;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii('{"Records":[');
  let isFirst = true;
  for (const record of records) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    if (record.isPrefixAscii) writer.ascii(record.prefix);
    else writer.text(record.prefix);
    writer.base64(record.data);
    writer.ascii(record.suffix);
  }
  writer.ascii("]");
  writer.text(windowMembers);
  writer.ascii("}");
  return writer.finish();
}

function encodeWindowMembers(window: TumblingWindow, eventSourceArn: string): string {
  return (
    `,"shardId":${quoteJson(window.shardId)},"eventSourceARN":${quoteJson(eventSourceArn)}` +
    `,"window":{"start":"${isoSeconds(window.startMs)}","end":"${isoSeconds(window.endMs)}"},"state":${window.stateJson}` +
    `,"isFinalInvokeForWindow":${window.isFinalInvokeForWindow},"isWindowTerminatedEarly":${window.isWindowTerminatedEarly}`
  );
}

/** What a filter pattern sees: the `kinesis` object with `data` parsed, at the top level (streams §8.1). */
export function kinesisFilterDocument(record: KinesisRecord): { document: unknown; isDataJson: boolean } {
  const data = parseJsonObject(record.data);
  const document = {
    kinesisSchemaVersion: "1.0",
    partitionKey: record.key,
    sequenceNumber: record.position,
    data: data ?? record.data.toString("base64"),
    approximateArrivalTimestamp: record.arrivalMs / 1000,
  };
  return { document, isDataJson: data !== undefined };
}

/** Only objects count as JSON data; scalars do not (queues §6.3, decision in architecture.md). */
function parseJsonObject(data: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(data.toString());
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
