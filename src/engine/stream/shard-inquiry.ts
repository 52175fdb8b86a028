import type { Clock } from "../../ports/clock.ts";
import type { StreamSource } from "../../ports/stream-source.ts";

export interface ShardInquiryOptions {
  readonly source: StreamSource;
  readonly clock: Clock;
  /** Between the two answers that are wanted. */
  readonly secondAnswerMs: number;
}

/**
 * Whether a shard is gone for good: by the source's own answer about that shard, given twice, some seconds apart. That
 * a listing leaves a shard out says nothing: listings lag and tear, and what is done about a shard that is gone cannot
 * be undone. A source that cannot be asked keeps its shards for ever.
 */
export class ShardInquiry {
  readonly #options: ShardInquiryOptions;
  /** Shards that the source has denied once, with the monotonic time of that. */
  readonly #denied = new Map<string, number>();

  constructor(options: ShardInquiryOptions) {
    this.#options = options;
  }

  /** The shard was listed or read. */
  seen(shardId: string): void {
    this.#denied.delete(shardId);
  }

  /** Asks when an answer may decide. An answer that cannot be had rejects. */
  async isGone(shardId: string, signal: AbortSignal): Promise<boolean> {
    const { source, clock, secondAnswerMs } = this.#options;
    const deniedMs = this.#denied.get(shardId);
    const isEarly = deniedMs !== undefined && clock.monotonic() - deniedMs < secondAnswerMs;
    if (source.knowsShard === undefined || isEarly) return false;
    if (await source.knowsShard(shardId, signal)) {
      this.#denied.delete(shardId);
      return false;
    }
    // Denied, seen and denied again meanwhile is a first time.
    const isSecond = deniedMs !== undefined && this.#denied.get(shardId) === deniedMs;
    if (!isSecond) this.#denied.set(shardId, clock.monotonic());
    return isSecond;
  }
}
