import {
  type ApiRecord,
  abortedError,
  type FaultKind,
  type KinesisApi,
  KinesisFault,
  type KinesisShardEntry,
  type RecordsPage,
  type ShardPlace,
  type SubscriptionEvent,
} from "../../../../connectors/kinesis/kinesis-api.ts";
import { comparePositions } from "../../../../connectors/kinesis/position.ts";
import { KINESIS_QUOTA, type QuotaLimits, ShardQuotas } from "../../../../connectors/kinesis/shard-quota.ts";
import { createKinesisSource } from "../../../../connectors/kinesis/source.ts";
import { parseStreamArn } from "../../../../connectors/kinesis/stream-arn.ts";
import type { ShardReader, StreamSource } from "../../../../src/ports/stream-source.ts";

export const STREAM_ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
export const CONSUMER_ARN = `${STREAM_ARN}/consumer/fast:1700000000`;
export const SHARD_ID = "shardId-000000000000";
export const ALL_HASH_KEYS = { first: 0n, last: (1n << 128n) - 1n };
export const NO_ABORT = new AbortController().signal;

/** Sequence numbers as Kinesis gives them: 56 digits. */
export function sequence(ordinal: number): string {
  return `49${String(ordinal).padStart(54, "0")}`;
}

export function apiRecord(ordinal: number, data: Buffer = Buffer.from(`data-${ordinal}`)): ApiRecord {
  return {
    sequenceNumber: sequence(ordinal),
    partitionKey: `key-${ordinal}`,
    data,
    arrivalMs: 1_000 + ordinal,
  };
}

export interface FakeCall {
  readonly action: "iterator" | "records" | "subscribe";
  readonly atMs: number;
  readonly place?: ShardPlace;
}

/** One shard behind the connector's small interface, with a clock that stands until it is moved. */
export class FakeKinesis implements KinesisApi {
  nowMs = 0;
  stored: readonly ApiRecord[] = [];
  /** Sequence numbers below are trimmed; asking for one is refused as the service does. */
  trimmedBelow = sequence(0);
  closed = false;
  childShards: readonly KinesisShardEntry[] = [];
  hashKeys = ALL_HASH_KEYS;
  listed: readonly KinesisShardEntry[] | undefined;
  /** Faults of the next calls, in order. */
  readonly faults: { readonly action: FakeCall["action"]; readonly kind: FaultKind }[] = [];
  readonly calls: FakeCall[] = [];
  /** What subscriptions send. */
  script: (place: ShardPlace, end: AbortSignal) => AsyncIterable<SubscriptionEvent> = async function* () {};

  /** Another moment: the stream was deleted and made anew. */
  createdMs: number | undefined = 1_000;

  async describeStream() {
    return { createdMs: this.createdMs };
  }

  async listShards(): Promise<readonly KinesisShardEntry[]> {
    const only = { shardId: SHARD_ID, parentShardIds: [], closed: this.closed, hashKeys: this.hashKeys };
    return this.listed ?? [only];
  }

  async shardIterator(_shardId: string, place: ShardPlace, signal: AbortSignal): Promise<string> {
    this.#call("iterator", signal, place);
    if (place.kind === "at" || place.kind === "after") this.#refuseTrimmed(place.sequenceNumber);
    return JSON.stringify(place);
  }

  async records(iterator: string, recordsMax: number, signal: AbortSignal): Promise<RecordsPage> {
    this.#call("records", signal);
    const place = JSON.parse(iterator) as ShardPlace;
    const there = this.stored.filter((record) => this.#isBehind(record, place));
    const records = there.slice(0, recordsMax);
    const last = records.at(-1);
    const isEnd = this.closed && records.length === there.length;
    const next = last === undefined ? place : { kind: "after", sequenceNumber: last.sequenceNumber };
    return {
      records,
      nextIterator: isEnd ? undefined : JSON.stringify(next),
      lagMs: (there.length - records.length) * 10,
      childShards: isEnd ? this.childShards : [],
    };
  }

  async subscribe(_shardId: string, place: ShardPlace, end: AbortSignal) {
    this.#call("subscribe", end, place);
    if (place.kind === "at" || place.kind === "after") this.#refuseTrimmed(place.sequenceNumber);
    return this.script(place, end);
  }

  serviceTimeMs(): number {
    return this.nowMs;
  }

  close(): void {}

  callsOf(action: FakeCall["action"]): readonly FakeCall[] {
    return this.calls.filter((call) => call.action === action);
  }

  #call(action: FakeCall["action"], signal: AbortSignal, place?: ShardPlace): void {
    if (signal.aborted) throw abortedError();
    this.calls.push({ action, atMs: this.nowMs, ...(place === undefined ? {} : { place }) });
    const fault = this.faults[0];
    if (fault?.action !== action) return;
    this.faults.shift();
    throw new KinesisFault(fault.kind, `a scripted fault of ${action}`);
  }

  #refuseTrimmed(sequenceNumber: string): void {
    if (comparePositions(sequenceNumber, this.trimmedBelow) < 0) {
      throw new KinesisFault("invalidArgument", "the sequence number is trimmed");
    }
  }

  #isBehind({ sequenceNumber, arrivalMs }: ApiRecord, place: ShardPlace): boolean {
    if (comparePositions(sequenceNumber, this.trimmedBelow) < 0) return false;
    if (place.kind === "oldest") return true;
    if (place.kind === "timestamp") return (arrivalMs ?? 0) >= place.epochMs;
    return comparePositions(sequenceNumber, place.sequenceNumber) >= (place.kind === "at" ? 0 : 1);
  }
}

export function openFakeSource(
  api: FakeKinesis,
  {
    arn = STREAM_ARN,
    limits = KINESIS_QUOTA,
    quotas = new ShardQuotas(limits, () => api.nowMs),
  }: { readonly arn?: string; readonly limits?: QuotaLimits; readonly quotas?: ShardQuotas } = {},
): StreamSource {
  return createKinesisSource({
    arn: parseStreamArn(arn),
    api,
    quotas,
    now: () => api.nowMs,
  });
}

/** Reads as the engine does, moving the clock by what each read asks for, until `untilMs`. */
export async function readUntil(
  api: FakeKinesis,
  readers: readonly ShardReader[],
  untilMs: number,
  recordsMax = 100,
) {
  const due = readers.map((reader) => ({ reader, atMs: api.nowMs, records: 0 }));
  for (;;) {
    const [next] = due.toSorted((a, b) => a.atMs - b.atMs);
    if (next === undefined || next.atMs > untilMs) return due.map(({ records }) => records);
    api.nowMs = Math.max(api.nowMs, next.atMs);
    const read = await next.reader.read(recordsMax, 10_000_000, NO_ABORT);
    next.records += read.records.length;
    next.atMs = api.nowMs + Math.max(1, read.readAgainAfterMs);
  }
}
