/** A longer line is cut into pieces of this length: a function must not fill the memory by never ending a line. */
const LINE_CHARS_MAX = 16 * 1024;

/** Makes lines of what a function prints in pieces. */
export class OutputLines {
  readonly #onLine: (line: string) => void;
  readonly #charsMax: number;
  #rest = "";

  constructor(onLine: (line: string) => void, charsMax = LINE_CHARS_MAX) {
    this.#onLine = onLine;
    this.#charsMax = charsMax;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#emit(line);
    if (this.#rest.length > this.#charsMax) this.flush();
  }

  /** Takes what has no end yet for a line. */
  flush(): void {
    if (this.#rest !== "") this.#emit(this.#rest);
    this.#rest = "";
  }

  #emit(line: string): void {
    for (let start = 0; start === 0 || start < line.length; start += this.#charsMax) {
      this.#onLine(line.slice(start, start + this.#charsMax));
    }
  }
}
