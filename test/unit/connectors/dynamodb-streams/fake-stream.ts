import type {
  ChangeRecord,
  IteratorAnswer,
  IteratorStart,
  RecordsAnswer,
  ShardEntry,
  StreamApi,
  StreamPage,
} from "../../../../connectors/dynamodb-streams/stream-api.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import { itemText } from "./item-text.ts";

const SHARDS_PER_PAGE = 100;
const ITERATOR_LIFE_MS = 15 * 60 * 1000;
/** Sequence numbers are longer than a JavaScript number holds. */
const FIRST_SEQUENCE_NUMBER = 100_000_000_000_000_000_000n;

interface FakeShard {
  readonly shardId: string;
  readonly parentShardId: string | undefined;
  readonly startingSequenceNumber: string;
  endingSequenceNumber: string | undefined;
  readonly records: { readonly change: ChangeRecord; readonly sequenceNumber: string }[];
  /** So many of the oldest records are gone. */
  trimmed: number;
}

/** DynamoDB Streams as the API reference describes it, with what no test server shows: roll-over, trimming, expiry. */
export class FakeStream implements StreamApi {
  nowMs = Date.UTC(2026, 0, 1);
  status = "ENABLED";
  partitionKeyName: string | undefined = "pk";
  /** Every call, by the API's names; `GetRecords` with its limit. */
  readonly calls: string[] = [];
  /** Thrown by the next calls, one each. */
  readonly failures: MillraceError[] = [];
  /** So many reads give nothing, before records that are there. */
  emptyPages = 0;
  closes = 0;
  /** Called before a page of records is looked up. */
  onGetRecords: () => void = () => {};
  readonly #shards = new Map<string, FakeShard>();
  #sequence = FIRST_SEQUENCE_NUMBER;
  #expiredBeforeMs = 0;

  addShard(parentShardId?: string): string {
    const shardId = `shardId-${String(this.#shards.size).padStart(20, "0")}-${(this.#shards.size * 7919) % 9973}`;
    this.#shards.set(shardId, {
      shardId,
      parentShardId,
      startingSequenceNumber: this.#nextSequenceNumber(),
      endingSequenceNumber: undefined,
      records: [],
      trimmed: 0,
    });
    return shardId;
  }

  closeShard(shardId: string): void {
    this.#shard(shardId).endingSequenceNumber = this.#nextSequenceNumber();
  }

  /** Closes a shard and opens `children` others behind it: one is a roll-over, two are a split. */
  rollOver(shardId: string, children = 1): readonly string[] {
    this.closeShard(shardId);
    return Array.from({ length: children }, () => this.addShard(shardId));
  }

  /** Adds a change, with what a test does not care about filled in; returns its sequence number. */
  append(
    shardId: string,
    change: Omit<ChangeRecord, "dynamodb"> & { dynamodb?: ChangeRecord["dynamodb"] },
  ): string {
    const shard = this.#shard(shardId);
    if (shard.endingSequenceNumber !== undefined) throw new Error(`${shardId} is closed`);
    const sequenceNumber = this.#nextSequenceNumber();
    const whole: ChangeRecord = {
      eventID: `id-${sequenceNumber}`,
      eventName: "INSERT",
      ...change,
      dynamodb: {
        ApproximateCreationDateTime: new Date(this.nowMs - (this.nowMs % 1000)),
        Keys: itemText({ pk: { S: "key" } }),
        SequenceNumber: sequenceNumber,
        SizeBytes: 26,
        StreamViewType: "NEW_AND_OLD_IMAGES",
        ...change.dynamodb,
      },
    };
    shard.records.push({ change: whole, sequenceNumber });
    return sequenceNumber;
  }

  appendItem(shardId: string, key: string, data: string): string {
    const pk = { S: key };
    return this.append(shardId, {
      dynamodb: { Keys: itemText({ pk }), NewImage: itemText({ pk, data: { S: data } }) },
    });
  }

  trimBefore(epochMs: number): void {
    for (const shard of this.#shards.values()) {
      const kept = shard.records.findIndex(({ change }) => arrivalMs(change) >= epochMs);
      shard.trimmed = kept === -1 ? shard.records.length : kept;
    }
  }

  forget(shardId: string): void {
    this.#shards.delete(shardId);
  }

  expireIterators(): void {
    this.nowMs++;
    this.#expiredBeforeMs = this.nowMs;
  }

  async describe(afterShardId: string | undefined, signal: AbortSignal): Promise<StreamPage> {
    this.#begin("DescribeStream", signal);
    // In no order: the newest come first here.
    const all = [...this.#shards.values()].reverse();
    const begin = afterShardId === undefined ? 0 : all.findIndex((each) => each.shardId === afterShardId) + 1;
    const shards: readonly ShardEntry[] = all.slice(begin, begin + SHARDS_PER_PAGE);
    const lastShardId = begin + SHARDS_PER_PAGE < all.length ? shards.at(-1)?.shardId : undefined;
    return {
      status: this.status,
      partitionKeyName: this.partitionKeyName,
      shards: shards.map((shard) => ({ ...shard })),
      lastShardId,
    };
  }

  async openIterator(shardId: string, from: IteratorStart, signal: AbortSignal): Promise<IteratorAnswer> {
    this.#begin(`GetShardIterator ${from.kind}`, signal);
    const shard = this.#shard(shardId);
    switch (from.kind) {
      case "oldest":
        return { kind: "iterator", iterator: this.#iterator(shardId, shard.trimmed) };
      case "latest":
        return { kind: "iterator", iterator: this.#iterator(shardId, shard.records.length) };
      case "at":
      case "after": {
        const wanted = BigInt(from.sequenceNumber) + (from.kind === "after" ? 1n : 0n);
        const behind = shard.records.findIndex((each) => BigInt(each.sequenceNumber) >= wanted);
        const index = behind === -1 ? shard.records.length : behind;
        const isTrimmed = shard.trimmed > 0 && index <= shard.trimmed - (from.kind === "after" ? 0 : 1);
        return isTrimmed
          ? { kind: "trimmed" }
          : { kind: "iterator", iterator: this.#iterator(shardId, index) };
      }
    }
  }

  async getRecords(
    _shardId: string,
    iterator: string,
    recordsMax: number,
    signal: AbortSignal,
  ): Promise<RecordsAnswer> {
    this.#begin(`GetRecords ${recordsMax}`, signal);
    this.onGetRecords();
    const [shardId = "", indexText, bornText] = iterator.split("|");
    const index = Number(indexText);
    const born = Number(bornText);
    if (born < this.#expiredBeforeMs || this.nowMs - born > ITERATOR_LIFE_MS) return { kind: "expired" };
    const shard = this.#shard(shardId);
    if (index < shard.trimmed) return { kind: "trimmed" };
    if (this.emptyPages > 0) {
      this.emptyPages--;
      return { kind: "records", records: [], next: this.#iterator(shardId, index) };
    }
    const records = shard.records.slice(index, index + recordsMax).map(({ change }) => change);
    const end = index + records.length;
    const isLast = shard.endingSequenceNumber !== undefined && end === shard.records.length;
    const next = isLast ? undefined : this.#iterator(shardId, end);
    return { kind: "records", records, next, answeredMs: this.nowMs };
  }

  now(): number {
    return this.nowMs;
  }

  close(): void {
    this.closes++;
  }

  #begin(call: string, signal: AbortSignal): void {
    if (signal.aborted) throw new MillraceError("ERR_MILLRACE_ABORTED", "stopped");
    this.calls.push(call);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }

  #shard(shardId: string): FakeShard {
    const shard = this.#shards.get(shardId);
    if (shard === undefined) throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `no shard ${shardId}`);
    return shard;
  }

  #iterator(shardId: string, index: number): string {
    return `${shardId}|${index}|${this.nowMs}`;
  }

  #nextSequenceNumber(): string {
    this.#sequence += 1n;
    return String(this.#sequence);
  }
}

function arrivalMs(change: ChangeRecord): number {
  return change.dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0;
}
