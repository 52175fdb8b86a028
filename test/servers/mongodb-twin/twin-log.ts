import { type Document, Timestamp } from "mongodb";

export interface OperationTime {
  readonly t: number;
  readonly i: number;
}

/** An operation of the set's log, as change streams see it. */
export interface LogEntry {
  readonly time: OperationTime;
  readonly database: string;
  /** Absent: of the whole database, or of nothing that streams see. */
  readonly collection?: string;
  readonly operationType:
    | "insert"
    | "update"
    | "replace"
    | "delete"
    | "drop"
    | "dropDatabase"
    | "invalidate"
    | "noop";
  readonly id?: unknown;
  readonly fullDocument?: Document;
  readonly updateDescription?: Document;
}

/** The log of a set: it has a beginning, which moves, and every operation has a time of its own. */
export class TwinLog {
  #entries: LogEntry[] = [];
  #first = 0;
  #last: OperationTime = { t: 0, i: 0 };
  #isTrimmed = false;
  readonly #waiting = new Set<() => void>();
  /** Added to this host's clock. */
  aheadMs = 0;

  constructor() {
    this.append({ database: "", operationType: "noop" });
  }

  get nowMs(): number {
    return Date.now() + this.aheadMs;
  }

  get last(): OperationTime {
    return this.#last;
  }

  get oldest(): OperationTime {
    return this.#entries[0]?.time ?? this.#last;
  }

  get end(): number {
    return this.#first + this.#entries.length;
  }

  at(index: number): LogEntry | undefined {
    return this.#entries[index - this.#first];
  }

  append(entry: Omit<LogEntry, "time">): void {
    const t = Math.max(Math.floor(this.nowMs / 1000), this.#last.t);
    this.#last = { t, i: t === this.#last.t ? this.#last.i + 1 : 1 };
    this.#entries.push({ ...entry, time: this.#last });
    for (const wake of [...this.#waiting]) wake();
  }

  /** The index of the first entry at this time or, without `isInclusive`, behind it. */
  indexAt(time: OperationTime, isInclusive: boolean): number {
    const found = this.#entries.findIndex((entry) => {
      const order = compareTimes(entry.time, time);
      return order > 0 || (isInclusive && order === 0);
    });
    return found < 0 ? this.end : this.#first + found;
  }

  /** Nothing before the oldest entry can be asked for, unless the log has its very beginning. */
  hasLost(time: OperationTime): boolean {
    return this.#isTrimmed && compareTimes(time, this.oldest) < 0;
  }

  trimBefore(epochMs: number): void {
    const kept = this.#entries.findIndex(({ time }) => time.t * 1000 >= epochMs);
    const count = kept < 0 ? this.#entries.length - 1 : kept;
    this.#entries = this.#entries.slice(count);
    this.#first += count;
    this.#isTrimmed ||= count > 0;
  }

  /** Resolves when there is another entry, or the time is up. */
  async changed(ms: number, isOver: () => boolean): Promise<void> {
    if (isOver()) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  /** Lets go of who waits. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

export function compareTimes(a: OperationTime, b: OperationTime): number {
  return a.t - b.t || a.i - b.i;
}

export function timestampOf({ t, i }: OperationTime): Timestamp {
  return new Timestamp({ t, i });
}

const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");

/** As MongoDB makes them: a type, the time, a version, and what tells changes of one time apart. */
export function changeToken({ t, i }: OperationTime): string {
  return `82${hex(t)}${hex(i)}2B042C0100296E5A100463`;
}

/** A place at the beginning of a time, before all its changes: what an idle stream is told. */
export function placeToken({ t, i }: OperationTime): string {
  return `82${hex(t)}${hex(i)}2B0429296E1404`;
}

const INVALIDATION = "FF";

export function invalidationToken(time: OperationTime): string {
  return changeToken(time) + INVALIDATION;
}

export interface ReadToken {
  readonly time: OperationTime;
  readonly isPlace: boolean;
  readonly isInvalidation: boolean;
}

export function readToken(token: string): ReadToken | undefined {
  const [, t, i, rest = ""] = /^82([0-9A-F]{8})([0-9A-F]{8})2B04([0-9A-F]+)$/.exec(token) ?? [];
  if (t === undefined || i === undefined) return undefined;
  return {
    time: { t: Number.parseInt(t, 16), i: Number.parseInt(i, 16) },
    isPlace: rest.startsWith("29"),
    isInvalidation: rest.endsWith(`63${INVALIDATION}`),
  };
}
