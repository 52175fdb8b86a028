import { JsonTooDeep, parseExactJson } from "./exact-json.ts";
import { base64Length, isPlainAscii, JsonBytesWriter, joinElements, quoteJson } from "./json-bytes.ts";
import type { StreamRecord, TumblingWindow } from "./record.ts";
import { encodeWindowMembers } from "./window-members.ts";

/**
 * The Kinesis event (streams §6), shared by the connectors whose functions see Kinesis records: a handler written for
 * Kinesis reads a local stream unchanged.
 */
export interface KinesisRecord extends StreamRecord {
  readonly key: string;
  /** What functions see; the position too, unless records out of one aggregate share it. */
  readonly sequenceNumber: string;
  readonly data: Buffer;
  readonly shard: KinesisShard;
}

export interface KinesisEventSource {
  readonly eventSourceArn: string;
  readonly awsRegion: string;
  readonly invokeIdentityArn: string;
  readonly shardId: string;
}

/**
 * What the elements of one shard's records share. Records hold their own parts only: they may be many, and wait long.
 */
interface KinesisShard {
  /** From the arrival time to the sequence number in `eventID`. ASCII. */
  readonly middle: string;
  /** From behind `eventID` to the end of the element. ASCII. */
  readonly tail: string;
}

const EMPTY_ENVELOPE = '{"Records":[]}';
export const KINESIS_ENVELOPE_BYTES = EMPTY_ENVELOPE.length;

const BEFORE_KEY = '{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":';
const BEFORE_POSITION = ',"sequenceNumber":"';
const BEFORE_DATA = '","data":"';
const BEFORE_ARRIVAL = ',"approximateArrivalTimestamp":';
const FIXED_BYTES = BEFORE_KEY.length + BEFORE_POSITION.length + BEFORE_DATA.length + 1;

/** Per-record bookkeeping in memory beside the data: objects, strings, Buffer header. */
const RECORD_OVERHEAD_BYTES = 512;

/** Makes the records of one shard; what all of them share is written once. */
export function createKinesisRecordFactory(source: KinesisEventSource) {
  const shard: KinesisShard = {
    middle: `},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"${source.shardId}:`,
    tail:
      `","eventName":"aws:kinesis:record","invokeIdentityArn":${quoteJson(source.invokeIdentityArn)}` +
      `,"awsRegion":${quoteJson(source.awsRegion)},"eventSourceARN":${quoteJson(source.eventSourceArn)}}`,
  };
  const shardBytes = FIXED_BYTES + shard.middle.length + shard.tail.length;
  return (
    sequenceNumber: string,
    key: string,
    data: Buffer,
    arrivalMs: number | undefined,
    position: string = sequenceNumber,
  ): KinesisRecord => {
    const ownBytes = quotedByteLength(key) + sequenceNumber.length * 2 + arrivalText(arrivalMs).length;
    return {
      position,
      sequenceNumber,
      key,
      arrivalMs,
      data,
      shard,
      bytes: data.length + RECORD_OVERHEAD_BYTES,
      encodedBytes: shardBytes + ownBytes + base64Length(data.length),
    };
  };
}

/** Epoch seconds with a fraction of milliseconds; what the source does not tell is left out. */
function arrivalText(arrivalMs: number | undefined): string {
  return arrivalMs !== undefined && Number.isFinite(arrivalMs)
    ? BEFORE_ARRIVAL + String(arrivalMs / 1000)
    : "";
}

function quotedByteLength(key: string): number {
  return isPlainAscii(key) ? key.length + 2 : Buffer.byteLength(JSON.stringify(key));
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
    writeElement(writer, record);
  }
  writer.ascii("]");
  writer.text(windowMembers);
  writer.ascii("}");
  return writer.finish();
}

/** A record's element of the event, alone. */
export function kinesisElement(record: KinesisRecord): Uint8Array {
  const writer = new JsonBytesWriter(record.encodedBytes);
  writeElement(writer, record);
  return writer.finish();
}

export function kinesisEventOf(elements: readonly Uint8Array[]): Uint8Array {
  return joinElements('{"Records":[', elements, "]}");
}

function writeElement(
  writer: JsonBytesWriter,
  { sequenceNumber, key, data, arrivalMs, shard }: KinesisRecord,
): void {
  if (isPlainAscii(key)) {
    writer.ascii(`${BEFORE_KEY}"${key}"${BEFORE_POSITION}${sequenceNumber}${BEFORE_DATA}`);
  } else {
    writer.text(`${BEFORE_KEY}${JSON.stringify(key)}${BEFORE_POSITION}${sequenceNumber}${BEFORE_DATA}`);
  }
  writer.base64(data);
  writer.ascii(`"${arrivalText(arrivalMs)}${shard.middle}${sequenceNumber}`);
  writer.ascii(shard.tail);
}

/** What a filter pattern sees: the `kinesis` object with `data` parsed, at the top level (streams §8.1). */
export function kinesisFilterDocument(record: KinesisRecord): { document: unknown; isDataJson: boolean } {
  const data = parseJsonObject(record.data);
  const document = {
    kinesisSchemaVersion: "1.0",
    partitionKey: record.key,
    sequenceNumber: record.sequenceNumber,
    data: data ?? record.data.toString("base64"),
    ...(record.arrivalMs === undefined ? {} : { approximateArrivalTimestamp: record.arrivalMs / 1000 }),
  };
  return { document, isDataJson: data !== undefined };
}

/** Only objects count as JSON data; scalars do not (filters §3). */
function parseJsonObject(data: Buffer): object | undefined {
  try {
    const value = parseExactJson(data.toString());
    return typeof value === "object" && value !== null ? value : undefined;
  } catch (error) {
    // Taken for a text it would be dropped by patterns, and nobody would be told.
    if (error instanceof JsonTooDeep) throw error;
    return undefined;
  }
}
