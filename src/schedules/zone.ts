import { DAY_MS, type WallMs, wallOf } from "./wall-time.ts";

/** A zone of the IANA database: between instants and what clocks on the wall show there. */
export interface Zone {
  readonly name: string;
  wallAt(instantMs: number): WallMs;
  /**
   * When clocks show this. What is shown twice, as an hour is turned back, is meant the first time. `undefined`: clocks
   * never show it, since an hour was left out.
   */
  instantOf(wallMs: WallMs): number | undefined;
}

/** `undefined`: nobody knows a zone of this name. */
export function findZone(name: string): Zone | undefined {
  if (name === "UTC") return UTC;
  // An offset such as `+02:00` is taken for a zone by the machine; AWS names places.
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,49}$/.test(name)) return undefined;
  try {
    return new PlaceZone(name);
  } catch {
    return undefined;
  }
}

export const UTC: Zone = {
  name: "UTC",
  wallAt: (instantMs) => instantMs,
  instantOf: (wallMs) => wallMs,
};

/** Within a quarter of an hour, counted from the epoch, no zone has changed its offset since 1973. */
const SPAN_MS = 15 * 60_000;
const SPANS_MAX = 64;

class PlaceZone implements Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** Offsets that were asked for lately, by span. */
  readonly #offsets = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      calendar: "gregory",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  wallAt(instantMs: number): WallMs {
    return instantMs + this.#offsetAt(instantMs);
  }

  instantOf(wallMs: WallMs): number | undefined {
    // No zone is further than a day from UTC, and none changes twice within two days.
    const offsets = new Set([this.#offsetAt(wallMs - DAY_MS), this.#offsetAt(wallMs + DAY_MS)]);
    const instants = [...offsets].map((offset) => wallMs - offset).filter((at) => this.wallAt(at) === wallMs);
    // plant: a-skipped-hour-fires
    return instants.length === 0 ? undefined : Math.min(...instants);
  }

  #offsetAt(instantMs: number): number {
    const span = Math.floor(instantMs / SPAN_MS);
    const known = this.#offsets.get(span);
    if (known !== undefined) return known;
    const atMs = span * SPAN_MS;
    const offset = this.#shownAt(atMs) - atMs;
    if (this.#offsets.size >= SPANS_MAX) this.#offsets.clear();
    this.#offsets.set(span, offset);
    return offset;
  }

  #shownAt(instantMs: number): WallMs {
    const parts = new Map(
      this.#format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return wallOf({
      year: part("year"),
      month: part("month"),
      day: part("day"),
      hour: part("hour"),
      minute: part("minute"),
      second: part("second"),
    });
  }
}
