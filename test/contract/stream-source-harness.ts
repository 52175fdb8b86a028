import assert from "node:assert/strict";
import type { Position, Shard, StartPoint, StreamRecord } from "../../src/model/record.ts";
import type { LogAnew, ShardReader, StreamSource } from "../../src/ports/stream-source.ts";

/** What an adapter's test gives to the contract suite. */
export interface StreamHarness {
  /** What the source behind the adapter is able to do; tests of what it is not are skipped. */
  readonly can: StreamCapabilities;
  createStream(shards: number): Promise<StreamFixture>;
  /** Opens a stream that does not exist: rejects, or gives a source whose `listShards` rejects. */
  openMissingStream(): Promise<StreamSource>;
}

export interface StreamCapabilities {
  readonly startAtTimestamp: boolean;
  readonly split: boolean;
  readonly merge: boolean;
  readonly trim: boolean;
  readonly expireIterators: boolean;
  /** The source decides itself how many shards a stream has; a new one has one, whatever is asked for. */
  readonly onlyOneShard?: true;
  /** A reader gives the rest of what it has fetched, though it was trimmed since. */
  readonly holdsFetched?: true;
  /** AWS has no tumbling windows for such a source. */
  readonly noWindows?: true;
  /** The stream can be deleted and made anew under its name (`StreamFixture.remake`). */
  readonly remake?: true;
  /** A shard can lose its newest records and be written on (`StreamFixture.loseEnd`). */
  readonly loseEnd?: true;
  /** Producers give a record's time themselves, any 64 bits (`StreamFixture.appendAt`). */
  readonly foreignTimes?: true;
  /** A shard has positions without records that readers see (`StreamFixture.appendUnseen`). */
  readonly unseen?: true;
}

/** A stream of its own for one test. Disposing closes all sources that were opened on it. */
export interface StreamFixture extends AsyncDisposable {
  /** Each call opens another, independent source. */
  openSource(): Promise<StreamSource>;
  /** Resolves when readers see the records. Only open shards are given. */
  append(shardId: string, records: readonly SampleRecord[]): Promise<void>;
  split(shardId: string): Promise<void>;
  /** The two shards can be merged: they are the only ones of their stream. */
  merge(shardIds: readonly [string, string]): Promise<void>;
  /** Forgets the records that arrived before this moment. */
  trimBefore(epochMs: number): Promise<void>;
  /** Makes every iterator, cursor or connection that readers now hold useless. */
  expireIterators(): Promise<void>;
  /** Lets time go by as the source sees it. A virtual or settable clock is moved; only a real server is waited for. */
  pause(ms: number): Promise<void>;
  /** Deletes the stream and makes it anew under its name, with one shard of the old id and no records. */
  remake?(): Promise<void>;
  /** The shard loses all but its first records, as a crash or an election does it: the kept ones end with an append. */
  loseEnd?(shardId: string, kept: number): Promise<void>;
  /** Appends a record whose time its producer gave. */
  appendAt?(shardId: string, record: SampleRecord, time: bigint): Promise<void>;
  /** Moves the end of the shard, by at least one position, without a record that readers see. */
  appendUnseen?(shardId: string): Promise<void>;
  /** The `data` texts of the records in a Lambda event of this source. */
  dataOf(event: unknown): readonly string[];
}

export interface SampleRecord {
  readonly key: string;
  readonly data: string;
}

export interface Reading {
  readonly records: readonly StreamRecord[];
  readonly endOfShard: boolean;
  readonly trimmed: boolean;
  /** What was said of the log, in order, with the count of records before it. */
  readonly anew: readonly { readonly anew: LogAnew; readonly behind: number }[];
  /** Of the last read that told it. */
  readonly logId: string | undefined;
  /** How far the reads looked in all. */
  readonly lookedTo: Position | undefined;
}

/** A never aborted signal. */
export const NO_ABORT: AbortSignal = new AbortController().signal;
export const OLDEST: StartPoint = { kind: "oldest" };
const READS_MAX = 500;
const READ_RECORDS = 1_000;
const READ_BYTES = 4 * 1024 * 1024;

export function samples(count: number, prefix = "record"): readonly SampleRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index % 7}`,
    data: JSON.stringify({ name: `${prefix}-${index}` }),
  }));
}

export function dataTexts(records: readonly SampleRecord[]): readonly string[] {
  return records.map((record) => record.data);
}

/** A durable point is JSON: what comes back from a store must serve as well as what was given. */
export function throughJson(point: StartPoint): StartPoint {
  return JSON.parse(JSON.stringify(point));
}

/** Reads on until the shard ends or the reader has caught up with its tip. */
export async function readToTip(
  fixture: StreamFixture,
  reader: ShardReader,
  recordsMax = READ_RECORDS,
): Promise<Reading> {
  const records: StreamRecord[] = [];
  const anew: { anew: LogAnew; behind: number }[] = [];
  let trimmed = false;
  let logId: string | undefined;
  let lookedTo: Position | undefined;
  for (let reads = 0; reads < READS_MAX; reads++) {
    const read = await reader.read(recordsMax, READ_BYTES, NO_ABORT);
    assert.ok(read.readAgainAfterMs >= 0, "readAgainAfterMs is not negative");
    if (read.anew !== undefined) {
      assert.equal(read.records.length, 0, "records came with the news of another log");
      anew.push({ anew: read.anew, behind: records.length });
    }
    records.push(...read.records);
    trimmed ||= read.trimmed;
    logId = read.logId ?? logId;
    lookedTo = read.lookedTo ?? read.records.at(-1)?.position ?? lookedTo;
    const reading = { records, trimmed, anew, logId, lookedTo };
    if (read.endOfShard) return { ...reading, endOfShard: true };
    const isCaughtUp = read.anew === undefined && (read.lagMs === undefined || read.lagMs === 0);
    if (read.records.length === 0 && isCaughtUp) return { ...reading, endOfShard: false };
    await fixture.pause(read.readAgainAfterMs);
  }
  assert.fail(`the reader did not reach the tip of its shard within ${READS_MAX} reads`);
}

/** Opens a reader on a source of its own, reads to the tip and closes both. */
export async function readShard(
  fixture: StreamFixture,
  shardId: string,
  start: StartPoint,
  knownLogId?: string,
): Promise<Reading & { readonly data: readonly string[] }> {
  const source = await fixture.openSource();
  const reader = await source.openReader(shardId, start, NO_ABORT, knownLogId);
  const reading = await readToTip(fixture, reader);
  const data = readingData(fixture, source, reading.records);
  await reader.close();
  await source.close();
  return { ...reading, data };
}

export function readingData(
  fixture: StreamFixture,
  source: StreamSource,
  records: readonly StreamRecord[],
): readonly string[] {
  const event: unknown = JSON.parse(Buffer.from(source.events.encode(records, undefined)).toString());
  return fixture.dataOf(event);
}

export async function onlyShard(source: StreamSource): Promise<Shard> {
  const shards = await source.listShards(NO_ABORT);
  const [shard] = shards;
  assert.equal(shards.length, 1);
  assert.ok(shard !== undefined);
  return shard;
}

/** When a record arrived; a source that keeps time gives one for each. */
export function arrivalAt(records: readonly StreamRecord[], index: number): number {
  const { arrivalMs } = itemAt(records, index);
  assert.ok(arrivalMs !== undefined, `the record at ${index} has no arrival time`);
  return arrivalMs;
}

/** `[0]` of a list that the test knows not to be empty, and so on. */
export function itemAt<T>(items: readonly T[], index: number): T {
  const item = items.at(index);
  assert.ok(item !== undefined, `no item at ${index} of ${items.length}`);
  return item;
}
