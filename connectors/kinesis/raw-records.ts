import { isAscii } from "node:buffer";
import { isPlainAscii } from "../../src/model/json-bytes.ts";
import type { ApiRecord } from "./kinesis-api.ts";

/** Beyond any `Date`. */
const DATE_MS_MAX = 8.64e15;

/**
 * The records of an answer of GetRecords, and the answer without them. The SDK checks each record's base64 with a
 * regular expression that costs more than all the rest of a page.
 *
 * @throws SyntaxError when it is no JSON; an error called `MalformedRecord` when a record is none: its page is asked
 * for again, so nothing is lost.
 */
export function readRecords(body: Buffer): { readonly records: readonly ApiRecord[]; readonly rest: Buffer } {
  // One byte a character: made in a single copy, and parsed faster.
  const page: unknown = JSON.parse(body.toString(isAscii(body) ? "latin1" : "utf8"));
  if (typeof page !== "object" || page === null) throw malformed("an answer that is no object");
  const { Records: records = null, ...rest } = page as { readonly Records?: unknown };
  if (records !== null && !Array.isArray(records)) throw malformed("records that are no list");
  return { records: records === null ? [] : records.map(toRecord), rest: Buffer.from(JSON.stringify(rest)) };
}

/** Also for records that the SDK has read. */
export function checkedSequenceNumber(sequenceNumber: unknown): string {
  // It stands in events and positions as it is.
  if (typeof sequenceNumber === "string" && sequenceNumber !== "" && isPlainAscii(sequenceNumber)) {
    return sequenceNumber;
  }
  throw malformed("a record without a sequence number");
}

interface WireRecord {
  readonly SequenceNumber?: unknown;
  readonly PartitionKey?: unknown;
  readonly Data?: unknown;
  readonly ApproximateArrivalTimestamp?: unknown;
}

function toRecord(record: unknown): ApiRecord {
  if (typeof record !== "object" || record === null) throw malformed("a record that is no object");
  const wire: WireRecord = record;
  return {
    sequenceNumber: checkedSequenceNumber(wire.SequenceNumber),
    partitionKey: textOf(wire.PartitionKey, "a partition key"),
    data: dataOf(wire.Data),
    arrivalMs: arrivalMsOf(wire.ApproximateArrivalTimestamp),
  };
}

function textOf(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw malformed(`${what} that is no text`);
}

function dataOf(value: unknown): Buffer {
  const text = textOf(value, "data");
  const data = Buffer.from(text, "base64");
  // What is no base64 the decoder leaves out: then bytes are missing.
  const isWhole = data.length === decodedLength(text);
  if (!isWhole) throw malformed("data that is no base64");
  return data;
}

function decodedLength(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return Math.floor(((base64.length - padding) * 3) / 4);
}

/** Epoch seconds; a time that is none costs no record (arrival times are metadata). */
function arrivalMsOf(value: unknown): number | undefined {
  const seconds = typeof value === "string" ? Number(value) : value;
  if (typeof seconds !== "number") return undefined;
  const ms = Math.round(seconds * 1_000);
  return Math.abs(ms) <= DATE_MS_MAX ? ms : undefined;
}

/** What came is not quoted: it may hold anything. */
function malformed(what: string): Error {
  return Object.assign(new Error(`GetRecords answered with ${what}.`), { name: "MalformedRecord" });
}
