import type { Clock } from "../../ports/clock.ts";
import type { FunctionLog, FunctionLogLine } from "../../ports/function-log.ts";
import { type KeptLine, LogRing } from "./log-ring.ts";

/** What is kept of one function. */
const RING_LINES_MAX = 5_000;
const RING_CHARS_MAX = 1024 * 1024;
/** What is kept of all functions of a process. */
const BOOK_CHARS_MAX = 32 * 1024 * 1024;

export interface FunctionLogBookOptions {
  readonly clock: Pick<Clock, "now">;
  /** Takes out what nobody may see. */
  redact(text: string): string;
}

/** The last words of each function that this process has run. One that prints much drops its own lines only. */
export class FunctionLogBook implements FunctionLog {
  readonly #options: FunctionLogBookOptions;
  readonly #rings = new Map<string, LogRing>();
  #seq = 0;
  #chars = 0;

  constructor(options: FunctionLogBookOptions) {
    this.#options = options;
  }

  /** The newest line's; 0: there was none. */
  get seq(): number {
    return this.#seq;
  }

  line(line: FunctionLogLine): void {
    const ring = this.#ringOf(line.fn);
    const before = ring.chars;
    this.#seq += 1;
    ring.push({ ...line, seq: this.#seq, atMs: this.#options.clock.now() });
    while (ring.size > RING_LINES_MAX || ring.chars > RING_CHARS_MAX) ring.drop();
    this.#chars += ring.chars - before;
    if (this.#chars > BOOK_CHARS_MAX) this.#shrink();
  }

  /** Those behind `afterSeq`, oldest first, as they may be shown; `isCut`: some of them are not here any more. */
  linesOf(fn: string, afterSeq: number): { readonly lines: readonly KeptLine[]; readonly isCut: boolean } {
    const ring = this.#rings.get(fn);
    if (ring === undefined) return { lines: [], isCut: false };
    const lines: KeptLine[] = [];
    for (const line of ring.backwards()) {
      if (line.seq <= afterSeq) break;
      lines.push(this.#shown(line));
    }
    return { lines: lines.reverse(), isCut: ring.droppedSeq > afterSeq };
  }

  /** The newest of all functions within so many characters, oldest first. */
  newest(charsMax: number): readonly KeptLine[] {
    const all: KeptLine[] = [];
    for (const ring of this.#rings.values()) {
      let left = charsMax;
      for (const line of ring.backwards()) {
        left -= line.text.length;
        if (left < 0) break;
        all.push(line);
      }
    }
    all.sort((a, b) => b.seq - a.seq);
    let left = charsMax;
    const kept = all.filter(({ text }) => {
      left -= text.length;
      return left >= 0;
    });
    return kept.reverse().map((line) => this.#shown(line));
  }

  #shown(line: KeptLine): KeptLine {
    return line.stream === "platform" ? line : { ...line, text: this.#options.redact(line.text) };
  }

  #ringOf(fn: string): LogRing {
    let ring = this.#rings.get(fn);
    if (ring === undefined) {
      ring = new LogRing();
      this.#rings.set(fn, ring);
    }
    return ring;
  }

  /** Not for each line: the largest ring goes to its half. */
  #shrink(): void {
    const [largest] = [...this.#rings.values()].sort((a, b) => b.chars - a.chars);
    if (largest === undefined) return;
    const before = largest.chars;
    while (largest.chars > before / 2 && largest.size > 0) largest.drop();
    this.#chars += largest.chars - before;
  }
}
