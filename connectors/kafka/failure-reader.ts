import { describeError, MillraceError } from "../../src/model/errors.ts";
import { memberOf, objectOf } from "../../src/model/event-elements.ts";
import { memberText } from "../../src/model/exact-json.ts";
import { summaryOf } from "../../src/model/failure-summary.ts";
import type { StreamRecord } from "../../src/model/record.ts";
import type { FailureReader, FoundFailure, KeptFailure, ScanBounds } from "../../src/ports/failure-reader.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import type { KafkaCluster } from "./cluster.ts";
import { FAILURE_ID_HEADER } from "./destination.ts";
import type { KafkaRecord } from "./record.ts";
import { createKafkaSource } from "./source.ts";

export interface TopicFailureReaderOptions {
  /** Closed with the reader. */
  readonly cluster: KafkaCluster;
  readonly topic: string;
  readonly bootstrapServers: readonly string[];
}

const RECORDS_MAX = 500;
const READ_BYTES_MAX = 4 * 1024 * 1024;
/** Reads of a partition in a row that give nothing: it has no more, or what is asked for is gone. */
const EMPTY_READS_MAX = 20;

/**
 * Reads a failure topic, by partition and offset, as no member of any group: nothing is committed. A place is what the
 * destination answered with: `PARTITION:OFFSET+COUNT`, with commas between them.
 */
export function createTopicFailureReader(options: TopicFailureReaderOptions): FailureReader {
  return new TopicFailureReader(options);
}

class TopicFailureReader implements FailureReader {
  readonly #topic: string;
  readonly #source: StreamSource;

  constructor({ cluster, topic, bootstrapServers }: TopicFailureReaderOptions) {
    this.#topic = topic;
    this.#source = createKafkaSource({ cluster, topic, bootstrapServers, eventSourceArn: undefined });
  }

  async read(at: string, signal: AbortSignal): Promise<KeptFailure | undefined> {
    const parts: KeptFailure[] = [];
    try {
      for (const { partition, from, count } of rangesOf(at)) {
        const until = from + count;
        for await (const record of this.#records(partition, from, until, signal)) {
          const kept = keptMessage(record);
          if (kept !== undefined) parts.push(kept);
        }
      }
    } catch (error) {
      throw this.#unreadable(error, signal);
    }
    const [first] = parts;
    if (first === undefined) return undefined;
    const events = parts.flatMap((part) => part.events);
    return { ...first, events: events.toSorted((a, b) => offsetOf(a) - offsetOf(b)) };
  }

  /** Each message by itself: those of one failure have its id, and may be anywhere. */
  async *scan({ mapping, sinceMs, untilMs }: ScanBounds, signal: AbortSignal): AsyncGenerator<FoundFailure> {
    try {
      for (const { shardId } of await this.#source.listShards(signal)) {
        const partition = Number(shardId.slice(this.#topic.length + 1));
        for await (const record of this.#records(partition, 0, undefined, signal)) {
          const kept = keptMessage(record);
          const summary = kept && summaryOf(kept.document);
          if (kept === undefined || summary === undefined) continue;
          if (kept.failureId !== undefined && !kept.failureId.startsWith(`${mapping}/`)) continue;
          if (summary.atMs < sinceMs || summary.atMs >= untilMs) continue;
          yield {
            ...kept,
            at: `${partition}:${record.position}+1`,
            summary: { ...summary, shardId: summary.shardId ?? shardOf(kept) },
          };
        }
      }
    } catch (error) {
      throw this.#unreadable(error, signal);
    }
  }

  join(places: readonly string[]): string {
    return places.join(",");
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  /** Those that were there when it began. */
  async *#records(
    partition: number,
    from: number,
    until: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<StreamRecord> {
    const shardId = `${this.#topic}-${partition}`;
    const latest = await this.#source.captureLatest(shardId, signal);
    const newest = latest.kind === "after" ? Number(latest.position) : -1;
    const last = Math.min(newest, (until ?? Number.POSITIVE_INFINITY) - 1);
    if (last < from) return;
    const start =
      from === 0 ? ({ kind: "oldest" } as const) : ({ kind: "after", position: String(from - 1) } as const);
    const reader = await this.#source.openReader(shardId, start, signal);
    try {
      for (let empty = 0, at = from; at <= last && empty < EMPTY_READS_MAX; ) {
        const { records, lookedTo } = await reader.read(RECORDS_MAX, READ_BYTES_MAX, signal);
        empty = records.length === 0 ? empty + 1 : 0;
        for (const record of records) {
          const offset = Number(record.position);
          if (offset >= from && offset <= last) yield record;
        }
        const seen = Math.max(Number(lookedTo ?? -1), Number(records.at(-1)?.position ?? -1));
        at = Math.max(at, seen + 1);
      }
    } finally {
      await reader.close();
    }
  }

  #unreadable(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return error;
    const reason = error instanceof MillraceError ? error.message : describeError(error);
    return new MillraceError(
      "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
      `Failures in the topic "${this.#topic}" cannot be read: ${reason}`,
      { cause: error },
    );
  }
}

interface Range {
  readonly partition: number;
  readonly from: number;
  readonly count: number;
}

function rangesOf(at: string): readonly Range[] {
  return at.split(",").flatMap((part) => {
    const [, partition, from, count] = /^(\d{1,9}):(\d{1,16})\+(\d{1,9})$/.exec(part) ?? [];
    return partition === undefined
      ? []
      : [{ partition: Number(partition), from: Number(from), count: Number(count) }];
  });
}

/** A message of a failure topic (kafka §5): the event is an object in it, kept byte for byte. */
function keptMessage(record: StreamRecord): KeptFailure | undefined {
  const { value, headersJson } = record as KafkaRecord;
  const text = value?.toString() ?? "";
  const parsed = objectOf(Buffer.from(text));
  if (parsed === undefined) return undefined;
  const { payload: _, ...document } = parsed;
  const payload = memberText(text, "payload");
  const failureId = failureIdOf(headersJson);
  return {
    document,
    events: payload === undefined || !payload.startsWith("{") ? [] : [Buffer.from(payload)],
    ...(failureId === undefined ? {} : { failureId }),
  };
}

/** The header's bytes are signed numbers, as events show them. */
function failureIdOf(headersJson: string): string | undefined {
  const headers: unknown = JSON.parse(headersJson);
  if (!Array.isArray(headers)) return undefined;
  for (const header of headers) {
    const bytes = memberOf(header, FAILURE_ID_HEADER);
    if (!Array.isArray(bytes)) continue;
    const id = Buffer.from(Int8Array.from(bytes).buffer).toString();
    // The offset of its record is added to the id of the failure (kafka §5).
    return id.slice(0, Math.max(0, id.lastIndexOf("/")));
  }
  return undefined;
}

function shardOf({ events: [event] }: KeptFailure): string | undefined {
  const records = memberOf(event && objectOf(event), "records");
  return typeof records === "object" && records !== null ? Object.keys(records)[0] : undefined;
}

function offsetOf(event: Uint8Array): number {
  const records = memberOf(objectOf(event), "records");
  const [list] = typeof records === "object" && records !== null ? Object.values(records) : [];
  return Array.isArray(list) ? Number(memberOf(list[0], "offset") ?? 0) : 0;
}
