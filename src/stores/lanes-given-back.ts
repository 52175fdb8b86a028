import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import type { LaneBacklog } from "../ports/async-queue.ts";
import { bytesOf } from "./async-bounds.ts";

/** For so long a lane counts as one that has something: longer than what is given back is left alone. */
const KNOWN_MS = 60_000;

interface Seen {
  atMs: number;
  items: number;
  bytes: number;
  oldestMs: number;
}

/**
 * What a queue that cannot say what it holds has seen and given back: lanes that nobody had asked for, or that had no
 * room. What is counted is a lower bound.
 */
export class LanesGivenBack {
  readonly #now: () => number;
  readonly #lanes = new Map<string, Seen>();

  constructor(now: () => number) {
    this.#now = now;
  }

  note(item: Pick<NewAsyncItem, "lane" | "body"> & { readonly state: AttemptState | undefined }): void {
    const atMs = this.#now();
    const { items, bytes, oldestMs } = this.#lanes.get(item.lane) ?? { items: 0, bytes: 0, oldestMs: atMs };
    this.#lanes.set(item.lane, {
      atMs,
      items: items + 1,
      bytes: bytes + bytesOf(item),
      oldestMs: Math.min(oldestMs, item.state?.acceptedMs ?? atMs),
    });
  }

  /** Since it was asked last; a lane of which nothing came for a minute is forgotten. */
  backlog(): readonly LaneBacklog[] {
    const nowMs = this.#now();
    return [...this.#lanes].flatMap(([lane, seen]) => {
      if (nowMs - seen.atMs > KNOWN_MS) {
        this.#lanes.delete(lane);
        return [];
      }
      const { items, bytes, oldestMs } = seen;
      this.#lanes.set(lane, { ...seen, items: 0, bytes: 0 });
      return { lane, items, bytes, oldestMs: Math.max(0, nowMs - oldestMs) };
    });
  }
}
