import { closeSync, openSync, readSync } from "node:fs";
import { readEvent } from "./event-records.ts";
import type { Ledger } from "./ledger.ts";

const CHUNK_BYTES = 1024 * 1024;
const LINE_BYTES_MAX = 32 * 1024 * 1024;

/** Reads on in the failure destination's file, a line for each batch that was given up, and tells the ledger. */
export class DiscardedRecords {
  readonly #path: string | undefined;
  readonly #ledger: Ledger;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** `undefined`: the mapping has no such file. */
  constructor(path: string | undefined, ledger: Ledger) {
    this.#path = path;
    this.#ledger = ledger;
  }

  readNew(): void {
    if (this.#path === undefined) return;
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch {
      // Nothing was given up so far.
      return;
    }
    try {
      for (;;) {
        const chunk = Buffer.alloc(CHUNK_BYTES);
        const bytes = readSync(file, chunk, 0, CHUNK_BYTES, this.#offset);
        if (bytes === 0) return;
        this.#offset += bytes;
        this.#readLines(chunk.subarray(0, bytes));
      }
    } finally {
      closeSync(file);
    }
  }

  #readLines(chunk: Buffer): void {
    let text = Buffer.concat([this.#rest, chunk]);
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
      this.#readLine(text.subarray(0, end).toString());
      text = text.subarray(end + 1);
    }
    if (text.length > LINE_BYTES_MAX)
      throw new Error(`${this.#path} has a line of more than ${LINE_BYTES_MAX} bytes`);
    this.#rest = text;
  }

  #readLine(line: string): void {
    const document: unknown = JSON.parse(line);
    if (typeof document !== "object" || document === null || !("payload" in document)) return;
    const { payload } = document;
    if (typeof payload !== "string") return;
    for (const identity of readEvent(payload).identities) {
      if (identity !== undefined) this.#ledger.discarded(identity);
    }
  }
}
