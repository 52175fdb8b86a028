import { memberOf } from "../../src/aws/fault.ts";
import { arrivalOf } from "../../src/model/arrival.ts";
import { MillraceError } from "../../src/model/errors.ts";
import { JsonBytesWriter, joinElements, quoteJson } from "../../src/model/json-bytes.ts";
import type { StreamRecord, TumblingWindow } from "../../src/model/record.ts";
import { encodeWindowMembers } from "../../src/model/window-members.ts";
import type { StreamEvents } from "../../src/ports/stream-source.ts";
import type { Change, ChangeRecord, ItemText } from "./stream-api.ts";
import type { StreamArn } from "./stream-arn.ts";

/** Member of a record's filter document that holds its data (filters §2). */
export const FILTER_DATA_KEY = "dynamodb";

const EMPTY_ENVELOPE = '{"Records":[]}';

/** Per-record bookkeeping in memory beside the element: objects, strings, Buffer header. */
const RECORD_OVERHEAD_BYTES = 512;

/** The record's JSON is written once, when it is read: retries and bisected halves then only copy bytes. */
interface DynamodbRecord extends StreamRecord {
  readonly key: string;
  /** The element of the event's `Records` array. */
  readonly element: Buffer;
}

/** Lambda's event of DynamoDB Streams (streams §6). */
export function createDynamodbEvents(eventSourceArn: string): StreamEvents {
  return {
    encode: (records, window) => encodeEvent(asDynamodb(records), eventSourceArn, window),
    element: (record) => (record as DynamodbRecord).element,
    eventOf: (_shardId, elements) => joinElements('{"Records":[', elements, "]}"),
    envelopeBytes: () => EMPTY_ENVELOPE.length,
    // The whole record, metadata such as `eventName` included (streams §8.1); an item is always a JSON object.
    filterDocument: (record) => ({ document: parseElement(record), isDataJson: true }),
    filterDataKey: FILTER_DATA_KEY,
  };
}

/** The engine hands back only records that this source gave (law of StreamEvents), and those are these. */
function asDynamodb(records: readonly StreamRecord[]): readonly DynamodbRecord[] {
  return records as readonly DynamodbRecord[];
}

function parseElement(record: StreamRecord): unknown {
  return JSON.parse((record as DynamodbRecord).element.toString());
}

/** Makes the records of one stream. `partitionKeyName`: the attribute that is the table's partition key. */
export function createRecordFactory({ arn, region }: StreamArn, partitionKeyName: string) {
  const middle = `,"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":${quoteJson(region)},"dynamodb":`;
  const tail = `,"eventSourceARN":${quoteJson(arn)}}`;
  return (change: ChangeRecord): StreamRecord => {
    const { dynamodb } = change;
    const position = dynamodb?.SequenceNumber;
    if (dynamodb === undefined || position === undefined) throw recordIsIncomplete(arn);
    const createdMs = arrivalOf(dynamodb.ApproximateCreationDateTime);
    const epochSeconds = createdMs === undefined ? undefined : Math.floor(createdMs / 1000);
    const element = Buffer.from(
      `{"eventID":${quoteJson(change.eventID ?? "")},"eventName":${quoteJson(change.eventName ?? "")}${middle}` +
        `${changeJson(dynamodb, position, epochSeconds)}${identityJson(change.userIdentity)}${tail}`,
    );
    const record: DynamodbRecord = {
      position,
      key: laneKey(dynamodb.Keys ?? "{}", partitionKeyName),
      arrivalMs: epochSeconds === undefined ? undefined : epochSeconds * 1000,
      bytes: element.length + RECORD_OVERHEAD_BYTES,
      encodedBytes: element.length,
      element,
    };
    return record;
  };
}

function recordIsIncomplete(arn: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The stream ${arn} gave a record without a sequence number. If an endpoint override is set, look at what answers there.`,
  );
}

/** Members in AWS's order. */
function changeJson(change: Change, position: string, epochSeconds: number | undefined): string {
  const { Keys, NewImage, OldImage, SizeBytes, StreamViewType } = change;
  let text = "{";
  if (epochSeconds !== undefined) text += `"ApproximateCreationDateTime":${epochSecondsJson(epochSeconds)},`;
  if (Keys !== undefined) text += `"Keys":${Keys},`;
  if (NewImage !== undefined) text += `"NewImage":${NewImage},`;
  if (OldImage !== undefined) text += `"OldImage":${OldImage},`;
  text += `"SequenceNumber":${quoteJson(position)}`;
  if (SizeBytes !== undefined) text += `,"SizeBytes":${SizeBytes}`;
  if (StreamViewType !== undefined) text += `,"StreamViewType":${quoteJson(StreamViewType)}`;
  return `${text}}`;
}

/**
 * `1.789651658E9`, as AWS prints the whole seconds (streams §6): readers that tell integers from floats by their text,
 * Python's among them, get from us the type that they get from AWS.
 */
function epochSecondsJson(epochSeconds: number): string {
  if (epochSeconds < 0) return `-${epochSecondsJson(-epochSeconds)}`;
  const digits = String(epochSeconds);
  if (digits.length < 8) return `${digits}.0`;
  const fraction = digits.slice(1).replace(/0+$/, "");
  return `${digits.slice(0, 1)}.${fraction === "" ? "0" : fraction}E${digits.length - 1}`;
}

/** Who made the change, where it was not a caller: deletes by time-to-live (streams §6). */
function identityJson(identity: ChangeRecord["userIdentity"]): string {
  if (identity === undefined) return "";
  const { Type = "", PrincipalId = "" } = identity;
  return `,"userIdentity":{"type":${quoteJson(Type)},"principalId":${quoteJson(PrincipalId)}}`;
}

/**
 * The item's partition-key value, so that all versions of an item, and all items of a partition, stay in order
 * (decision 0026). A table has one type for it: the text alone tells two values apart.
 */
function laneKey(keys: ItemText, partitionKeyName: string): string {
  const value = memberOf(JSON.parse(keys), partitionKeyName);
  const text = memberOf(value, "S") ?? memberOf(value, "N") ?? memberOf(value, "B");
  return typeof text === "string" ? text : keys;
}

function encodeEvent(
  records: readonly DynamodbRecord[],
  eventSourceArn: string,
  window: TumblingWindow | undefined,
): Uint8Array {
  const windowMembers = window === undefined ? "" : encodeWindowMembers(window, eventSourceArn);
  let byteLength = EMPTY_ENVELOPE.length + Buffer.byteLength(windowMembers) + Math.max(0, records.length - 1);
  for (const record of records) byteLength += record.encodedBytes;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii('{"Records":[');
  let isFirst = true;
  for (const record of records) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    writer.bytes(record.element);
  }
  writer.ascii("]");
  writer.text(windowMembers);
  writer.ascii("}");
  return writer.finish();
}
