import { isDeepStrictEqual } from "node:util";
import { MillraceError } from "../../model/errors.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { BacklogSight, SourceBacklog } from "../../ports/source-backlog.ts";
import type { ShardReader, StreamSource } from "../../ports/stream-source.ts";

export interface StreamBacklogOptions {
  readonly mapping: Pick<StreamMapping, "uuid" | "name">;
  /** Closed with the backlog. */
  readonly source: StreamSource;
  readonly progress: Pick<ProgressStore, "list">;
  readonly clock: Clock;
}

/** Shards are asked in turns of so many. */
const SHARDS_AT_ONCE = 16;
/** Sources may answer with empty pages before a record: how many are read of a reader that is new. */
const FIRST_READS = 4;
/** Listings of shards have quotas of their own. */
const LIST_MS = 30_000;

/** A shard as it was asked last, from one checkpoint on. */
interface Watched {
  readonly progress: ShardProgress;
  reader: ShardReader | undefined;
  /** A record, or an end, was seen behind the checkpoint: that stays until the checkpoint moves. */
  waits: boolean;
  /** The last page was empty, and its source says that more follows: the reader goes on there. */
  isBehind: boolean;
  notBeforeMs: number;
}

/**
 * For a stream whose progress the store keeps: looks from each checkpoint on whether anything follows, one record at
 * most, which nobody gets. Shards that were never read, or that are new, wait for their first reader.
 */
export class StreamBacklog implements SourceBacklog {
  readonly #options: StreamBacklogOptions;
  readonly #shards = new Map<string, Watched>();
  #listedMs = Number.NEGATIVE_INFINITY;
  #listed: readonly string[] = [];

  constructor(options: StreamBacklogOptions) {
    this.#options = options;
  }

  async look(signal: AbortSignal): Promise<BacklogSight> {
    const { progress, mapping, source } = this.#options;
    if (source.progress !== undefined) throw withoutBacklog(mapping.name);
    const rows = await progress.list(mapping.uuid);
    const known = new Set(rows.map(({ shardId }) => shardId));
    await this.#list(signal);
    const unread = this.#listed.filter((shardId) => !known.has(shardId)).length;
    const open = rows.filter(({ checkpoint }) => !checkpoint.ended);
    await this.#forget(new Set(open.map(({ shardId }) => shardId)));
    let waiting = 0;
    for (let from = 0; from < open.length; from += SHARDS_AT_ONCE) {
      const turn = open.slice(from, from + SHARDS_AT_ONCE);
      const waits = await Promise.all(turn.map((row) => this.#look(row, signal)));
      waiting += waits.filter(Boolean).length;
    }
    // A mapping that was never begun waits for its first start, also on a stream without a record.
    const parts = waiting + (rows.length === 0 ? Math.max(1, unread) : unread);
    return { elements: parts, parts };
  }

  async close(): Promise<void> {
    await this.#forget(new Set());
    await this.#options.source.close();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { source, clock } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#listedMs < LIST_MS) return;
    // What closed before it was ever read is settled by who knows its children: it counts as any other.
    this.#listed = (await source.listShards(signal)).map(({ shardId }) => shardId);
    this.#listedMs = nowMs;
  }

  async #look(progress: ShardProgress, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const watched = await this.#watched(progress);
    if (watched.waits || clock.monotonic() < watched.notBeforeMs) return watched.waits || watched.isBehind;
    const isNew = watched.reader === undefined;
    try {
      watched.reader ??= await this.#open(progress, signal);
      for (let reads = 1; ; reads++) {
        const isOver = await this.#read(watched, watched.reader, signal);
        if (isOver || !isNew || reads === FIRST_READS) break;
      }
    } catch (error) {
      await closeQuietly(watched.reader);
      watched.reader = undefined;
      throw error;
    }
    if (!watched.waits) return watched.isBehind;
    await closeQuietly(watched.reader);
    watched.reader = undefined;
    return true;
  }

  /** Resolves to whether it is known by now. */
  async #read(watched: Watched, reader: ShardReader, signal: AbortSignal): Promise<boolean> {
    const read = await reader.read(1, 1, signal);
    watched.notBeforeMs = this.#options.clock.monotonic() + read.readAgainAfterMs;
    if (read.nothingHeard === true) return true;
    // plant: what-a-read-says-beside-its-records-is-not-taken-for-work
    const isOther = read.endOfShard || read.trimmed || read.anew !== undefined;
    watched.waits = read.records.length > 0 || isOther;
    watched.isBehind = (read.lagMs ?? 0) > 0;
    return watched.waits || read.lagMs === 0 || read.readAgainAfterMs > 0;
  }

  #open({ shardId, checkpoint: { resume, logId } }: ShardProgress, signal: AbortSignal) {
    return this.#options.source.openReader(shardId, resume, signal, logId);
  }

  /** From its checkpoint on: behind another one nothing was seen yet. */
  async #watched(progress: ShardProgress): Promise<Watched> {
    const { shardId, checkpoint } = progress;
    const known = this.#shards.get(shardId);
    // plant: a-shard-is-not-asked-again-once-its-checkpoint-has-moved
    if (known !== undefined && isDeepStrictEqual(known.progress.checkpoint.resume, checkpoint.resume))
      return known;
    await closeQuietly(known?.reader);
    const unasked = { reader: undefined, waits: false, isBehind: false };
    const watched: Watched = { progress, ...unasked, notBeforeMs: Number.NEGATIVE_INFINITY };
    this.#shards.set(shardId, watched);
    return watched;
  }

  async #forget(kept: ReadonlySet<string>): Promise<void> {
    for (const [shardId, { reader }] of this.#shards) {
      if (kept.has(shardId)) continue;
      this.#shards.delete(shardId);
      await closeQuietly(reader);
    }
  }
}

/** A reader that nobody reads any more has nothing to tell. */
async function closeQuietly(reader: ShardReader | undefined): Promise<void> {
  await reader?.close().catch(() => undefined);
}

function withoutBacklog(name: string): MillraceError {
  const message = `The source of ${name} keeps its progress itself, and its connector does not say how far it is behind.`;
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", message);
}
