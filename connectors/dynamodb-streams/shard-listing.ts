import { MillraceError } from "../../src/model/errors.ts";
import type { ShardEntry, StreamApi, StreamPage } from "./stream-api.ts";

/** DescribeStream allows ten calls a second (streams §7). */
const PAGE_PAUSE_MS = 100;
/** 100,000 shards; a service that pages on beyond that pages for ever. */
const PAGES_MAX = 1_000;

export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** What DescribeStream tells of a stream, over all its pages. */
export class ShardListing {
  readonly #api: StreamApi;
  readonly #streamArn: string;
  readonly #pause: Pause;
  #partitionKeyName: string | undefined;
  #shards: ReadonlyMap<string, ShardEntry> = new Map();

  constructor(api: StreamApi, streamArn: string, pause: Pause) {
    this.#api = api;
    this.#streamArn = streamArn;
    this.#pause = pause;
  }

  /** All shards that the stream still knows, asked for anew. */
  async list(signal: AbortSignal): Promise<readonly ShardEntry[]> {
    const shards = new Map<string, ShardEntry>();
    let page: StreamPage | undefined;
    for (let pages = 0; pages === 0 || page?.lastShardId !== undefined; pages++) {
      if (pages === PAGES_MAX) throw this.#endlessPages();
      if (pages > 0) await this.#pause(PAGE_PAUSE_MS, signal);
      page = await this.#api.describe(page?.lastShardId, signal);
      this.#partitionKeyName ??= page.partitionKeyName;
      for (const shard of page.shards) shards.set(shard.shardId, shard);
    }
    if (shards.size === 0 && page?.status === "DISABLED") throw this.#streamIsDisabled();
    this.#shards = shards;
    return [...shards.values()];
  }

  /** As the last `list` saw the shard. */
  lastSeen(shardId: string): ShardEntry | undefined {
    return this.#shards.get(shardId);
  }

  /** Never changes for a table. */
  async partitionKeyName(signal: AbortSignal): Promise<string> {
    if (this.#partitionKeyName === undefined) {
      this.#partitionKeyName = (await this.#api.describe(undefined, signal)).partitionKeyName;
    }
    if (this.#partitionKeyName !== undefined) return this.#partitionKeyName;
    throw new MillraceError(
      "ERR_MILLRACE_SOURCE_UNAVAILABLE",
      `DescribeStream does not tell the partition key of ${this.#streamArn}. If an endpoint override is set, look at what ` +
        "answers there.",
    );
  }

  #endlessPages(): MillraceError {
    return new MillraceError(
      "ERR_MILLRACE_SOURCE_UNAVAILABLE",
      `The list of shards of ${this.#streamArn} has no end after ${PAGES_MAX} pages. It is tried again.`,
    );
  }

  #streamIsDisabled(): MillraceError {
    return new MillraceError(
      "ERR_MILLRACE_SOURCE_NOT_FOUND",
      `The stream ${this.#streamArn} is disabled and retention has ended all its records. Enable a stream on the table, and ` +
        "give the mapping the table's new LatestStreamArn.",
    );
  }
}
