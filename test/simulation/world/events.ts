import type { StreamRecord, TumblingWindow } from "../../../src/model/record.ts";
import type { FilterDocument, StreamEvents } from "../../../src/ports/stream-source.ts";
import type { SimRecord } from "./stream.ts";

export const SIM_ENVELOPE_BYTES = 14;
export const FILTER_PATTERN = '{"data":{"kind":["wanted"]}}';

/**
 * An event of honest length whose contents are the records themselves: the function, the destination and the checkers
 * read them without parsing, so that a simulated invocation costs what the engine does and little else.
 */
export class SimPayload extends Uint8Array<ArrayBuffer> {
  records: readonly SimRecord[] = [];
  /** Of the batch that could not be encoded just before, when all others of it are here. */
  leftOut: readonly SimRecord[] = [];
  window: TumblingWindow | undefined;
}

/** All payloads are views of it; nobody reads the bytes. */
let sharedBytes = new ArrayBuffer(8 * 1024 * 1024);

export function sharedView(byteLength: number): ArrayBuffer {
  if (byteLength > sharedBytes.byteLength) sharedBytes = new ArrayBuffer(2 * byteLength);
  return sharedBytes;
}

/** The last batch that could not be encoded. */
let refused: readonly SimRecord[] = [];

export const SIM_EVENTS: StreamEvents = {
  envelopeBytes: () => SIM_ENVELOPE_BYTES,
  filterDataKey: "data",
  element(record) {
    const own = asSimRecords([record]);
    // As `encode`: whoever asks must find the record damaged in the one way as in the other.
    if (own.some(({ unmade }) => unmade === "event")) throw new TypeError("a record cannot be encoded");
    return payloadOf(own, record.encodedBytes);
  },
  eventOf(_shardId, elements) {
    const records = elements.flatMap((element) => (element instanceof SimPayload ? element.records : []));
    return payloadOf(records, byteLengthOf(records));
  },
  encode(records: readonly StreamRecord[], window: TumblingWindow | undefined): Uint8Array {
    const own = asSimRecords(records);
    if (own.some(({ unmade }) => unmade === "event")) {
      if (own.length > 1) refused = own;
      throw new TypeError("a record cannot be encoded");
    }
    const windowBytes = window === undefined ? 0 : 200 + window.stateJson.length;
    const payload = payloadOf(own, byteLengthOf(own) + windowBytes);
    const leftOut = refused.filter((record) => record.unmade === "event");
    if (own.length + leftOut.length === refused.length && own.every((record) => refused.includes(record)))
      payload.leftOut = leftOut;
    // Of the next batch it says nothing.
    if (payload.leftOut.length > 0) refused = [];
    payload.window = window;
    return payload;
  },
  filterDocument(record: StreamRecord): FilterDocument {
    if (isSimRecord(record) && record.unmade === "filter document")
      throw new TypeError("a record cannot be looked into");
    return { document: isAccepted(record) ? WANTED : UNWANTED, isDataJson: true };
  },
};

/**
 * Of a mapping that is like a Kafka topic's: identifiers name the partition too, and only what is listed comes again.
 */
export const SIM_TOPIC_EVENTS: StreamEvents = {
  ...SIM_EVENTS,
  partialRetry: "listed",
  readItemIdentifier(value, shardId) {
    if (typeof value !== "object" || value === null) return undefined;
    if (!("partition" in value) || !("offset" in value) || value.partition !== shardId) return undefined;
    return typeof value.offset === "string" ? value.offset : undefined;
  },
};

function byteLengthOf(records: readonly SimRecord[]): number {
  let byteLength = SIM_ENVELOPE_BYTES + Math.max(0, records.length - 1);
  for (const record of records) byteLength += record.encodedBytes;
  return byteLength;
}

function payloadOf(records: readonly SimRecord[], byteLength: number): SimPayload {
  const payload = new SimPayload(sharedView(byteLength), 0, byteLength);
  payload.records = records;
  return payload;
}

const WANTED = { data: { kind: "wanted" } };
const UNWANTED = { data: { kind: "unwanted" } };

function isAccepted(record: StreamRecord): boolean {
  return "accepted" in record && record.accepted === true;
}

/** The engine may only hand back what the source gave; a copy of the list protects the history from its changes. */
function asSimRecords(records: readonly StreamRecord[]): readonly SimRecord[] {
  const own: SimRecord[] = [];
  for (const record of records) {
    if (!isSimRecord(record))
      throw new TypeError("the engine handed back a record that the source never gave");
    own.push(record);
  }
  return own;
}

function isSimRecord(record: StreamRecord): record is SimRecord {
  return "shard" in record && "index" in record;
}
