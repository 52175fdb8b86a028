import type { Clock } from "../../ports/clock.ts";

const AGAIN_MS = 600_000;
const KEPT_MAX = 1_000;

/**
 * Who has looked at which texts. A page asks every few seconds while it is open: its user looks once at what it shows,
 * and anew when something new stands there, or after a while.
 */
export class ContentViews {
  readonly #seen = new Map<string, number>();
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Those `ids` that this caller has not looked at lately. */
  news(caller: string, place: string, ids: readonly string[]): readonly string[] {
    const nowMs = this.#clock.monotonic();
    const news = ids.filter((id) => {
      const lastMs = this.#seen.get(keyOf(caller, place, id));
      return lastMs === undefined || nowMs - lastMs >= AGAIN_MS;
    });
    for (const id of news) {
      const key = keyOf(caller, place, id);
      this.#seen.delete(key);
      this.#seen.set(key, nowMs);
    }
    for (const key of this.#seen.keys()) {
      if (this.#seen.size <= KEPT_MAX) break;
      this.#seen.delete(key);
    }
    return news;
  }
}

function keyOf(caller: string, place: string, id: string): string {
  return JSON.stringify([caller, place, id]);
}
