/** A stream of the process, as far as it is written to. */
export interface OutputTarget {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly writableLength: number;
  write(text: string): unknown;
  on(event: "drain", listener: () => void): unknown;
}

export interface BoundedOutputOptions {
  readonly target: OutputTarget;
  /** What may wait for its reader. */
  readonly bytesMax: number;
  /** What is written, once there is room again, of texts that were dropped. */
  readonly notice: (dropped: number) => string;
}

/**
 * Writes as long as somebody reads. A reader that stands still costs nothing but what it does not read: what waits for
 * it is bounded, what is beyond that is dropped and counted, and no write ever waits. What is written while the reader
 * keeps up is handed to the system at once, so that the last line before a crash is there.
 */
export class BoundedOutput {
  readonly #options: BoundedOutputOptions;
  #untold = 0;
  #dropped = 0;

  constructor(options: BoundedOutputOptions) {
    this.#options = options;
    options.target.on("drain", () => this.#tell());
  }

  get isTTY(): boolean {
    return this.#options.target.isTTY === true;
  }

  get columns(): number | undefined {
    return this.#options.target.columns;
  }

  get rows(): number | undefined {
    return this.#options.target.rows;
  }

  /** Texts that nobody read in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `false`: it was dropped. */
  write(text: string): boolean {
    const { target, bytesMax } = this.#options;
    if (target.writableLength > 0 && target.writableLength + text.length > bytesMax) {
      this.#dropped++;
      this.#untold++;
      return false;
    }
    if (target.writableLength === 0) this.#tell();
    target.write(text);
    return true;
  }

  #tell(): void {
    const untold = this.#untold;
    if (untold === 0) return;
    this.#untold = 0;
    this.#options.target.write(this.#options.notice(untold));
  }
}
