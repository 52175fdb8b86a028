import { assertInvariant, MillraceError } from "../../src/model/errors.ts";
import { JsonBytesWriter, joinElements, quoteJson } from "../../src/model/json-bytes.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { StreamEvents } from "../../src/ports/stream-source.ts";
import { documentJson, extendedJson } from "./extended-json.ts";
import { tokenOf, tokenPosition } from "./position.ts";

/** Member of a record's filter document that holds its data: AWS filters no changes. */
export const FILTER_DATA_KEY = "event";

/** The operation by which a stream ends: its collection or database was dropped or renamed. */
export const INVALIDATION = "invalidate";

const END = '],"eventSource":"aws:docdb"}';
/** Per-record bookkeeping in memory beside the element: objects, strings, Buffer header. */
const RECORD_OVERHEAD_BYTES = 512;

/** The change's JSON is written once, when it is read: retries and bisected halves then only copy bytes. */
interface ChangeRecord extends StreamRecord {
  /** The element of the event's `events` array. */
  readonly element: Buffer;
}

/** Lambda's event of DocumentDB's change streams (brokers §4.1). */
export function createChangeEvents(eventSourceArn: string): StreamEvents {
  const front = `{"eventSourceArn":${quoteJson(eventSourceArn)},"events":[`;
  return {
    encode(records, window) {
      assertInvariant(window === undefined, "An event of a change stream has no tumbling window");
      return encodeEvent(front, records as readonly ChangeRecord[]);
    },
    element: (record) => (record as ChangeRecord).element,
    eventOf: (_shardId, elements) => joinElements(front, elements, END),
    envelopeBytes: () => front.length + END.length,
    filterDocument: (record) => ({
      document: JSON.parse((record as ChangeRecord).element.toString()),
      isDataJson: true,
    }),
    filterDataKey: FILTER_DATA_KEY,
    itemIdentifier: ({ position }) => tokenOf(position),
  };
}

function encodeEvent(front: string, records: readonly ChangeRecord[]): Uint8Array {
  let byteLength = front.length + END.length + Math.max(0, records.length - 1);
  for (const { encodedBytes } of records) byteLength += encodedBytes;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii(front);
  let isFirst = true;
  for (const { element } of records) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    writer.bytes(element);
  }
  writer.ascii(END);
  return writer.finish();
}

export interface Change {
  readonly record: StreamRecord;
  readonly isInvalidation: boolean;
}

/**
 * Makes the record of a change. Members stand in the order of AWS's events, which is that of their names. `damage`: why
 * this is not all of the change.
 */
export function changeOf(document: object, damage?: string): Change {
  const token = memberOf(memberOf(document, "_id"), "_data");
  if (typeof token !== "string") throw hasNoToken();
  const isInvalidation = memberOf(document, "operationType") === INVALIDATION;
  const element = Buffer.from(`{"event":${documentJson(document, Object.keys(document).sort())}}`);
  const record: ChangeRecord = {
    position: tokenPosition(token, isInvalidation),
    key: keyOf(document),
    arrivalMs: arrivalOf(memberOf(document, "clusterTime")),
    bytes: element.length + RECORD_OVERHEAD_BYTES,
    encodedBytes: element.length,
    element,
    ...(damage === undefined ? {} : { damage }),
  };
  return { record, isInvalidation };
}

/**
 * The document's `_id`: changes of one document stay in order. Documents of several collections may share one, and then
 * a lane.
 */
function keyOf(document: object): string | undefined {
  const documentKey = memberOf(document, "documentKey");
  if (typeof documentKey !== "object" || documentKey === null || !("_id" in documentKey)) return undefined;
  const { _id: id } = documentKey;
  return typeof id === "string" ? id : extendedJson(id);
}

/** The server's clock when the change was made, in whole seconds. */
function arrivalOf(clusterTime: unknown): number | undefined {
  const seconds = memberOf(clusterTime, "t");
  return typeof seconds === "number" ? seconds * 1000 : undefined;
}

function hasNoToken(): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    "The server sent a change whose resume token is no text. Changes of MongoDB from 4.4 on and of DocumentDB have one.",
    { fault: "refused" },
  );
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
