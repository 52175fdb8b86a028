import { isAscii } from "node:buffer";
import type { ChildShard } from "@aws-sdk/client-kinesis";
import { isPlainAscii } from "../../src/model/json-bytes.ts";
import type { ApiRecord } from "./kinesis-api.ts";

/** Beyond any `Date`. */
const DATE_MS_MAX = 8.64e15;

/** What an answer of GetRecords says. */
export interface RawPage {
  readonly records: readonly ApiRecord[];
  readonly nextIterator: string | undefined;
  readonly lagMs: number | undefined;
  readonly childShards: readonly ChildShard[];
}

/**
 * An answer of GetRecords. The SDK checks each record's base64 with a regular expression that costs more than all the
 * rest of a page.
 *
 * @throws SyntaxError when it is no JSON; an error called `MalformedRecord` when a record is none: its page is asked
 * for again, so nothing is lost.
 */
export function readPage(body: Buffer): RawPage {
  // One byte a character: made in a single copy, and parsed faster.
  const page: unknown = JSON.parse(body.toString(isAscii(body) ? "latin1" : "utf8"));
  if (!isObject(page)) throw malformed("an answer that is no object");
  const { NextShardIterator, MillisBehindLatest, Records, ChildShards } = page;
  return {
    records: listOf(Records, "records").map(toRecord),
    nextIterator: optionalText(NextShardIterator, "an iterator"),
    lagMs: typeof MillisBehindLatest === "number" ? MillisBehindLatest : undefined,
    childShards: listOf(ChildShards, "child shards").map(toChild),
  };
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

type Members = Readonly<Record<string, unknown>>;

function toRecord(record: unknown): ApiRecord {
  if (!isObject(record)) throw malformed("a record that is no object");
  const wire: WireRecord = record;
  return {
    sequenceNumber: checkedSequenceNumber(wire.SequenceNumber),
    partitionKey: textOf(wire.PartitionKey, "a partition key"),
    data: dataOf(wire.Data),
    arrivalMs: arrivalMsOf(wire.ApproximateArrivalTimestamp),
  };
}

function toChild(child: unknown): ChildShard {
  if (!isObject(child)) throw malformed("a child shard that is no object");
  const { ShardId, ParentShards, HashKeyRange } = child;
  const range = isObject(HashKeyRange) ? HashKeyRange : {};
  return {
    ShardId: textOf(ShardId, "the id of a child shard"),
    ParentShards: listOf(ParentShards, "parents").map((id) => textOf(id, "the id of a parent")),
    HashKeyRange: {
      StartingHashKey: hashKeyOf(range["StartingHashKey"]),
      EndingHashKey: hashKeyOf(range["EndingHashKey"]),
    },
  };
}

function hashKeyOf(value: unknown): string {
  if (typeof value === "string" && /^\d{1,39}$/.test(value)) return value;
  throw malformed("a hash key that is none");
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw malformed(`${what} that are no list`);
}

function textOf(value: unknown, what: string): string {
  return optionalText(value, what) ?? "";
}

function optionalText(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw malformed(`${what} that is no text`);
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

function dataOf(value: unknown): Buffer {
  const text = textOf(value, "data");
  const data = Buffer.from(text, "base64");
  // What is no base64 the decoder leaves out: then bytes are missing. Of a text that is not padded they may not be.
  const isWhole = text.length % 4 === 0 && data.length === decodedLength(text);
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
