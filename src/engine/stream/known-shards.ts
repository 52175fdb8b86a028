import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { describeError } from "../../model/errors.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { Shard } from "../../model/record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProgressStore, ShardProgress } from "../../ports/progress-store.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { EngineSettings } from "../settings.ts";
import { discoverShards } from "./discovery.ts";
import { isOtherLog, type KnownLineage, startableShards, waitedFor } from "./lineage.ts";
import { RowSightings } from "./row-sightings.ts";
import type { ShardInquiry } from "./shard-inquiry.ts";
import type { SourceProblems } from "./source-problems.ts";
import { TurnedShards } from "./turned-shards.ts";

export interface KnownShardsOptions {
  readonly mapping: StreamMapping;
  readonly source: StreamSource;
  readonly store: ProgressStore;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly lines: RepeatedLines;
  readonly problems: SourceProblems;
  readonly inquiry: ShardInquiry;
  readonly stopSignal: AbortSignal;
}

/** Times are monotonic. */
interface WaitingShard {
  readonly shardId: string;
  /** Those of its parents that are not past. */
  readonly parents: readonly string[];
  readonly sinceMs: number;
}

/** Problems of the listing, which what is known already outlives: shards that come are not found meanwhile. */
export const LISTING = "listing";

/** What is known of the shards of a mapping: what the source lists, what it has forgotten, and which may be begun. */
export class KnownShards {
  readonly #options: KnownShardsOptions;
  #listed: ReadonlyMap<string, Shard> | undefined;
  readonly #turned = new TurnedShards();
  readonly #sightings = new RowSightings();
  /** Shards that the source itself does not know any more, and which log each was then, as far as its row said. */
  readonly #past = new Map<string, string | undefined>();
  /** As of the last look. */
  #rows: readonly ShardProgress[] = [];
  /** Those that may be worked on, and those that wait for their parents, as of the last look. */
  #startable: readonly ShardProgress[] = [];
  #waiting: readonly WaitingShard[] = [];
  /** Shards that were not ended at the last look; `undefined` before the first. */
  #openShardIds: readonly string[] | undefined;
  #discoveredMs = Number.NEGATIVE_INFINITY;

  constructor(options: KnownShardsOptions) {
    this.#options = options;
  }

  /** Each shard that is not ended passes, and the shards are known. */
  everyOpen(passes: (shardId: string) => boolean): boolean {
    return this.#openShardIds?.every(passes) === true;
  }

  /** A shard was read to its end: what comes behind it is to be found now, where no listing has shown it. */
  ended(shardId: string): void {
    // Each of a long line of ended shards would cost all pages of a listing, and calls for those are scarce.
    for (const { parentShardIds } of this.#listed?.values() ?? [])
      if (parentShardIds.includes(shardId)) return;
    this.expire();
  }

  /** The next look lists the shards anew. */
  expire(): void {
    this.#discoveredMs = Number.NEGATIVE_INFINITY;
  }

  /** What the store has, after a listing where one is due. That may fail or take long: `onRows` sees it before. */
  async rows(onRows: (rows: readonly ShardProgress[]) => void): Promise<readonly ShardProgress[]> {
    const { store, mapping, stopSignal } = this.#options;
    const rows = await store.list(mapping.uuid);
    // plant: leases-are-watched-behind-the-first-listing-only
    onRows(rows);
    if (!this.#isDiscoveryDue()) return rows;
    await this.#discover(rows, stopSignal);
    return await store.list(mapping.uuid);
  }

  /** Shards that may be worked on, and others that the source is to be asked for. */
  startable(rows: readonly ShardProgress[]) {
    const { telemetry } = this.#options;
    this.#rows = rows;
    this.#forgetOlderWords(rows);
    const listed = this.#listed ?? new Map<string, Shard>();
    const unsure = this.#sightings.unsure(rows, listed);
    if (unsure.size > 0) this.expire();
    const lineage = { listed, past: this.#past, unsure };
    const { startable, waiting, unknown } = startableShards(rows, lineage);
    for (const parentId of this.#turned.look(rows, lineage)) unknown.add(parentId);
    for (const { parentShardIds } of waiting) {
      telemetry.mark(
        parentShardIds.length > 1 ? "merged child waited for both parents" : "child waited for parent",
      );
    }
    this.#startable = startable;
    this.#noteWaiting(waiting, rows, lineage);
    this.#openShardIds = [...startable, ...waiting].map((row) => row.shardId);
    return { startable, unknown };
  }

  /** Shards that may be worked on, as of the last look. */
  get ready(): readonly ShardProgress[] {
    return this.#startable;
  }

  /** Shards that wait for their parents, as of the last look. */
  get waiting(): readonly WaitingShard[] {
    return this.#waiting;
  }

  /** How many the source listed last; `undefined`: it was not heard yet. */
  get listed(): number | undefined {
    return this.#listed?.size;
  }

  #noteWaiting(
    waiting: readonly ShardProgress[],
    rows: readonly ShardProgress[],
    lineage: KnownLineage,
  ): void {
    const since = new Map(this.#waiting.map(({ shardId, sinceMs }) => [shardId, sinceMs]));
    const nowMs = this.#options.clock.monotonic();
    // plant: a-wait-for-parents-is-told-though-they-have-ended
    this.#waiting = waiting.map((row) => ({
      shardId: row.shardId,
      parents: waitedFor(row, rows, lineage),
      sinceMs: since.get(row.shardId) ?? nowMs,
    }));
  }

  /** True when one of them was found to be past, so that it or its children may start. */
  async askForGone(shardIds: ReadonlySet<string>): Promise<boolean> {
    const { source, inquiry, stopSignal } = this.#options;
    let hasFound = false;
    for (const shardId of shardIds) {
      const isUnlisted = this.#listed?.has(shardId) === false;
      if (!isUnlisted) continue;
      const isAsked = source.knowsShard !== undefined;
      // Before the source is asked: another log may be registered under the name while its answer is on the way.
      const logId = this.#rows.find((row) => row.shardId === shardId)?.checkpoint.logId;
      // plant: a-parent-that-one-listing-leaves-out-is-taken-for-past
      if (isAsked && !(await inquiry.isGone(shardId, stopSignal).catch(() => false))) continue;
      this.#past.set(shardId, logId);
      hasFound = true;
    }
    return hasFound;
  }

  /** What is listed as another log has not ended: the first read says so, too, and it is read from there. */
  beginningOf(shardId: string, checkpoint: Checkpoint): Checkpoint {
    return isOtherLog(checkpoint, this.#listed?.get(shardId)) ? { ...checkpoint, ended: false } : checkpoint;
  }

  /** Resolves when the parents of a shard that was made anew are past, or with the signal. */
  whenParentsArePast(shardId: string, signal: AbortSignal): Promise<void> {
    const isPast = this.#turned.wait(shardId, signal);
    this.expire();
    return isPast;
  }

  /** Another process has found a shard of this name that is another log: of that the source has said nothing here. */
  #forgetOlderWords(rows: readonly ShardProgress[]): void {
    if (this.#past.size === 0) return;
    for (const { shardId, checkpoint } of rows) {
      // plant: a-shard-that-is-registered-anew-is-taken-for-past
      if (this.#past.get(shardId) !== checkpoint.logId) this.#past.delete(shardId);
    }
  }

  #isDiscoveryDue(): boolean {
    const { clock, settings } = this.#options;
    // plant: shards-are-listed-once
    return clock.monotonic() - this.#discoveredMs >= settings.discoveryIntervalMs;
  }

  async #discover(rows: readonly ShardProgress[], signal: AbortSignal): Promise<void> {
    const { telemetry, clock, mapping, problems, lines } = this.#options;
    try {
      const hasCome = [this.#turned.listing(), this.#sightings.listing()];
      this.#listed = await discoverShards(this.#options, rows, signal);
      for (const come of hasCome) come();
      // A stream that was made anew may use a name again.
      for (const shardId of this.#listed.keys()) this.#past.delete(shardId);
      this.#discoveredMs = clock.monotonic();
      problems.worked(LISTING);
    } catch (error) {
      telemetry.count("source_errors", mapping.name, 1);
      // Without a first discovery there is nothing to do; after it, the shards that are known go on.
      if (this.#listed === undefined) throw error;
      problems.failed(LISTING, error, clock.monotonic());
      const fields = { mapping: mapping.name, error: describeError(error) };
      lines.write("warn", "the shards of a stream could not be listed; trying again", fields);
    }
  }
}
