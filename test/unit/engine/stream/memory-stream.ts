import { MillraceError } from "../../../../src/model/errors.ts";
import type { Shard, StartPoint, StreamRecord } from "../../../../src/model/record.ts";
import type { TraceCarrier } from "../../../../src/model/trace-context.ts";
import type { ProgressStore } from "../../../../src/ports/progress-store.ts";
import type { ShardRead, StreamSource } from "../../../../src/ports/stream-source.ts";
import { ManualClock } from "./manual-clock.ts";

interface TestRecord extends StreamRecord {
  readonly position: string;
  readonly trace: TraceCarrier | undefined;
}

export interface RecordInput {
  readonly key?: string;
  /** Milliseconds against the start of the clock. */
  readonly arrivalMs?: number;
  /** What the source gives as the arrival, in its place. */
  readonly toldMs?: number | undefined;
  readonly encodedBytes?: number;
  readonly bytes?: number;
  readonly trace?: TraceCarrier;
  readonly damage?: string;
}

/** A stream in memory, under a clock that tests move. */
export class MemoryStream {
  readonly clock = new ManualClock();
  readonly records = new Map<string, TestRecord[]>();
  shards: Shard[];
  /** What readers were opened with. */
  readonly opened: { shardId: string; start: StartPoint; knownLogId: string | undefined }[] = [];
  /** Added to the next read that any reader makes: what the source says of the log. With `anew` it has no records. */
  tellNext: Partial<ShardRead> | undefined;
  /** By shard, the last position that the source has trimmed. */
  readonly trimmedTo = new Map<string, number>();
  /** Whether the source says what it still serves. */
  stillServes: StreamSource["stillServes"] = async (shardId, position) =>
    Number(position) > (this.trimmedTo.get(shardId) ?? 0);
  /** Whether the source itself knows a shard, whatever it lists. */
  knowsShard: StreamSource["knowsShard"] = async (shardId) =>
    this.shards.some((shard) => shard.shardId === shardId);
  /** The source's answers carry its date. */
  hasDates = true;
  /** Set: the source's broker divides the shards. */
  progress: ProgressStore | undefined;
  /** The source numbers its records and says how many are behind a read. */
  tellsOffsetLag = false;
  listing: () => Promise<readonly Shard[]> = async () => this.shards;
  /** What a read that found nothing asks to wait: longer where hours pass, of which each poll would be a step. */
  idleReadMs = 100;
  /** Reads fail with it. */
  readFailure: Error | undefined;
  /** What functions call a record, when it is not its position. */
  itemIdentifier: ((record: StreamRecord) => string) | undefined;
  /** Like a Kafka topic: responses list records by partition and offset, windows open with their first record. */
  isTopic = false;
  readsMax = 0;

  constructor(shards: readonly (string | Shard)[]) {
    this.shards = shards.map((shard) =>
      typeof shard === "string" ? { shardId: shard, parentShardIds: [], closed: false } : shard,
    );
  }

  /** Positions at which functions of the source throw, though their port says that they do not. */
  readonly throwing = new Map<string, readonly string[]>();

  #throwAt(what: string, { position }: StreamRecord): void {
    if (this.throwing.get(what)?.includes(position) === true)
      throw new TypeError(`${what} of a secret record`);
  }

  append(shardId: string, ...inputs: RecordInput[]): void {
    const records = this.records.get(shardId) ?? [];
    this.records.set(shardId, records);
    for (const input of inputs) {
      records.push({
        position: String(records.length + 1),
        key: input.key ?? "k",
        arrivalMs: "toldMs" in input ? input.toldMs : this.#arrival(input),
        bytes: input.bytes ?? 100,
        encodedBytes: input.encodedBytes ?? 100,
        trace: input.trace,
        ...(input.damage === undefined ? {} : { damage: input.damage }),
      });
    }
  }

  #arrival({ arrivalMs }: RecordInput): number {
    return arrivalMs === undefined ? this.clock.sourceNow() : ManualClock.startMs + arrivalMs;
  }

  appendMany(shardId: string, count: number, key: (index: number) => string = () => "k"): void {
    this.append(shardId, ...Array.from({ length: count }, (_, index) => ({ key: key(index) })));
  }

  close(shardId: string, ...children: string[]): void {
    this.shards = this.shards.map((shard) =>
      shard.shardId === shardId ? { ...shard, closed: true } : shard,
    );
    for (const child of children) {
      const known = this.shards.find((shard) => shard.shardId === child);
      const parentShardIds = [...(known?.parentShardIds ?? []), shardId];
      this.shards = this.shards.filter((shard) => shard.shardId !== child);
      this.shards.push({ shardId: child, parentShardIds, closed: false });
    }
  }

  openSource(): StreamSource {
    return {
      description: {
        kind: "test",
        eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/test",
        batchInfoName: "KinesisBatchInfo",
        arrivalPrecision: "milliseconds",
        oversizedRecord: this.isTopic ? "givenUp" : "retried",
        batchingWindowFrom: this.isTopic ? "firstRecord" : "lastInvocation",
      },
      events: {
        element: ({ position }) => Buffer.from(String(Number(position))),
        eventOf: (_shardId, elements) =>
          Buffer.from(`{"p":[${elements.map((each) => Buffer.from(each)).join(",")}]}`),
        envelopeBytes: () => 14,
        filterDataKey: "data",
        traceCarrier: (record) => {
          this.#throwAt("traceCarrier", record);
          return (record as TestRecord).trace;
        },
        filterDocument: (record) => {
          this.#throwAt("filterDocument", record);
          return { document: { partitionKey: record.key }, isDataJson: false };
        },
        encode: (records, window) => {
          for (const record of records) this.#throwAt("encode", record);
          return Buffer.from(JSON.stringify({ p: records.map((record) => Number(record.position)), window }));
        },
        ...(this.itemIdentifier === undefined ? {} : { itemIdentifier: this.itemIdentifier }),
        ...(this.isTopic ? TOPIC_EVENTS : {}),
      },
      listShards: () => this.listing(),
      captureLatest: async (shardId): Promise<StartPoint> => {
        const last = this.records.get(shardId)?.at(-1);
        return last === undefined ? { kind: "oldest" } : { kind: "after", position: last.position };
      },
      comparePositions: (a, b) => Number(a) - Number(b),
      openReader: async (shardId, start, _signal, knownLogId) => {
        this.opened.push({ shardId, start, knownLogId });
        if (!this.shards.some((shard) => shard.shardId === shardId)) {
          throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `no shard ${shardId}`);
        }
        let next = start.kind === "after" ? Number(start.position) : 0;
        const { logId } = this.shards.find((shard) => shard.shardId === shardId) ?? {};
        let isOther = logId !== undefined && knownLogId !== undefined && logId !== knownLogId;
        return {
          read: async (recordsMax, bytesMax) => {
            if (this.readFailure !== undefined) throw this.readFailure;
            const told = isOther ? remadeAs(logId) : this.tellNext;
            if (!isOther) this.tellNext = undefined;
            isOther = false;
            if (told?.anew !== undefined) {
              next = told.anew.from.kind === "after" ? Number(told.anew.from.position) : 0;
              return { ...NOTHING_READ, ...told };
            }
            this.readsMax = Math.max(this.readsMax, recordsMax);
            const all = this.records.get(shardId) ?? [];
            const records: TestRecord[] = [];
            let bytes = 0;
            for (const record of all.slice(next, next + recordsMax)) {
              bytes += record.bytes;
              if (records.length > 0 && bytes > bytesMax) break;
              records.push(record);
            }
            next += records.length;
            const shard = this.shards.find((other) => other.shardId === shardId);
            const endOfShard = next === all.length && shard?.closed === true;
            const readAgainAfterMs = records.length === 0 ? this.idleReadMs : 0;
            const lag = this.tellsOffsetLag ? { offsetLag: all.length - next } : {};
            const date = this.hasDates ? { answeredMs: this.clock.sourceNow() } : {};
            const place = { lagMs: 0, readAgainAfterMs, trimmed: false, ...lag, ...date };
            const read = { records, endOfShard, ...place, ...told };
            if (read.lookedTo !== undefined) next = Math.max(next, Number(read.lookedTo));
            return read;
          },
          close: async () => {},
        };
      },
      ...(this.knowsShard === undefined ? {} : { knowsShard: this.knowsShard }),
      ...(this.stillServes === undefined ? {} : { stillServes: this.stillServes }),
      ...(this.progress === undefined ? {} : { progress: this.progress }),
      close: async () => {},
    };
  }
}

/** A listed shard says of itself that it is another log than its reader knew. */
function remadeAs(logId: string | undefined): Partial<ShardRead> {
  return {
    anew: { because: "remade", from: { kind: "oldest" }, told: "made anew" },
    ...(logId && { logId }),
  };
}

const NOTHING_READ: ShardRead = {
  records: [],
  endOfShard: false,
  lagMs: 1,
  readAgainAfterMs: 0,
  trimmed: false,
};

const TOPIC_EVENTS = {
  partialRetry: "listed",
  readItemIdentifier: (value: unknown, shardId: string) => {
    if (typeof value !== "object" || value === null || !("partition" in value) || !("offset" in value))
      return undefined;
    return value.partition === shardId ? String(value.offset) : undefined;
  },
} as const;
