import type { LogAnew, ShardRead } from "../../src/ports/stream-source.ts";
import type { StreamIdentity } from "./stream-identity.ts";

/** So long after the first refusal of a place a second one is believed. */
const SECOND_ANSWER_MS = 5_000;
/** Until the place is asked for again. */
const AGAIN_MS = 1_000;

export interface LogWatchOptions {
  /** Absent in tests that have no stream: then nothing is known of it. */
  readonly identity?: StreamIdentity | undefined;
  readonly knownLogId?: string | undefined;
  readonly now?: (() => number) | undefined;
}

/**
 * What a reader knows of the stream that it reads: which one it is, and whether its own place in it is refused for
 * good.
 */
export class LogWatch {
  readonly #identity: StreamIdentity | undefined;
  readonly #now: () => number;
  #logId: string | undefined;
  #refusedMs: number | undefined;
  #refusals = 0;

  constructor({ identity, knownLogId, now = () => performance.now() }: LogWatchOptions) {
    this.#identity = identity;
    this.#logId = knownLogId;
    this.#now = now;
  }

  get logId(): string | undefined {
    return this.#logId;
  }

  /** Part of every read. */
  get told(): Pick<ShardRead, "logId"> {
    return this.#logId === undefined ? {} : { logId: this.#logId };
  }

  /** The news that the stream is another one by now. */
  async look(signal: AbortSignal): Promise<LogAnew | undefined> {
    if (this.#refusedMs !== undefined) this.#identity?.doubt();
    const current = await this.#identity?.current(signal);
    const before = this.#logId;
    if (current === undefined || current === before) return undefined;
    this.#logId = current;
    if (before === undefined) return undefined;
    this.accepted();
    const told = `The stream was deleted and made anew under its name: it was ${before}, and is ${current}.`;
    return { because: "remade", from: { kind: "oldest" }, told };
  }

  accepted(): void {
    this.#refusedMs = undefined;
    this.#refusals = 0;
  }

  /**
   * The place of the reader was refused as no place of this shard. Once that says nothing: services err, and what it
   * would cost is the whole shard once more. `again`: ask again, so many milliseconds later; `believed`: it is gone.
   */
  refused(): { readonly kind: "again"; readonly afterMs: number } | { readonly kind: "believed" } {
    this.#identity?.doubt();
    this.#refusedMs ??= this.#now();
    this.#refusals++;
    if (this.#refusals > 1 && this.#now() - this.#refusedMs >= SECOND_ANSWER_MS) {
      this.accepted();
      return { kind: "believed" };
    }
    return { kind: "again", afterMs: this.#refusals === 1 ? 0 : AGAIN_MS };
  }
}
