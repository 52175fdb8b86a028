import { Deque } from "../../lib/deque.ts";
import type { FunctionLogLine } from "../../ports/function-log.ts";

export interface KeptLine extends FunctionLogLine {
  /** Counts the lines of all functions of a process, from 1. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** What a line takes beside its text, about. */
const LINE_CHARS = 100;

/** The last lines of one function, in one process. */
export class LogRing {
  readonly #lines = new Deque<KeptLine>();
  /** About what it takes. */
  chars = 0;
  /** The newest line that is no longer here; 0: all are. */
  droppedSeq = 0;

  get size(): number {
    return this.#lines.size;
  }

  push(line: KeptLine): void {
    this.#lines.push(line);
    this.chars += line.text.length + LINE_CHARS;
  }

  drop(): void {
    const [line] = this.#lines.take(1);
    if (line === undefined) return;
    this.chars -= line.text.length + LINE_CHARS;
    this.droppedSeq = line.seq;
  }

  /** Newest first. */
  *backwards(): Generator<KeptLine> {
    for (let offset = this.#lines.size - 1; offset >= 0; offset--) {
      const line = this.#lines.peek(offset);
      if (line !== undefined) yield line;
    }
  }
}
