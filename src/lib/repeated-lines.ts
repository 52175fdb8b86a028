import type { Clock } from "../ports/clock.ts";
import type { LogFields, LogLevel, Telemetry } from "../ports/telemetry.ts";

/**
 * Lines of one kind that are written in a while; what an outage does to hundreds of shards is told by the first few.
 */
const LINES_MAX = 3;
const WHILE_MS = 60_000;
/** Kinds that are known; the one that came first is forgotten, and may be told anew. */
const KINDS_MAX = 1_000;

interface Kind {
  sinceMs: number;
  written: number;
  left: number;
}

/**
 * Log lines of one mapping that come again and again: a few a minute of each kind, and how many were left out. Where
 * lines of several things go through one of these, each thing is a kind of its own: no other keeps it silent.
 */
export class RepeatedLines {
  readonly #clock: Clock;
  readonly #telemetry: Pick<Telemetry, "log">;
  /** By message, and what it is of. */
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock, telemetry: Pick<Telemetry, "log">) {
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /** `of`: the name of one of several things. */
  write(level: LogLevel, message: string, fields: LogFields, of = ""): void {
    const nowMs = this.#clock.monotonic();
    const name = `${message} ${of}`;
    let kind = this.#kinds.get(name);
    if (kind === undefined || nowMs - kind.sinceMs >= WHILE_MS) {
      kind = { sinceMs: nowMs, written: 0, left: kind?.left ?? 0 };
      this.#kinds.set(name, kind);
      const [eldest] = this.#kinds.keys();
      if (this.#kinds.size > KINDS_MAX && eldest !== undefined) this.#kinds.delete(eldest);
    }
    if (kind.written >= LINES_MAX) {
      kind.left++;
      return;
    }
    kind.written++;
    const leftOut = kind.left === 0 ? {} : { linesLeftOut: kind.left };
    kind.left = 0;
    this.#telemetry.log(level, message, { ...fields, ...leftOut });
  }
}
