import type { Chunks } from "../../src/codecs/undo-compression.ts";
import { turn } from "../../src/lib/steps.ts";
import { ByteReader } from "./bytes.ts";

/** More than a batch may hold when undone. */
export class BatchTooLarge extends RangeError {}

const NOTHING = Buffer.alloc(0);

/**
 * The undone records of a batch, of which only a part is there at a time: as much as was asked for, and what came in
 * one part with it.
 */
export class BatchBody {
  readonly #chunks: Chunks;
  readonly #bytesMax: number;
  #made = 0;
  /** Nothing comes behind what is there. */
  #isWhole = false;
  /** Reads what is there; another one as soon as more is. */
  reader = new ByteReader(NOTHING);

  constructor(chunks: Chunks, bytesMax: number) {
    this.#chunks = chunks;
    this.#bytesMax = bytesMax;
  }

  /** So many bytes are there to be read, or all that are left. */
  has(bytes: number): boolean {
    return this.#isWhole || this.reader.left >= bytes;
  }

  /** Gets so many bytes, or all that are left when there are fewer. */
  async get(bytes: number): Promise<void> {
    if (this.has(bytes)) return;
    const { bytes: present, at, end } = this.reader;
    const parts = [present.subarray(at, end)];
    let length = end - at;
    while (length < bytes) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      parts.push(chunk);
      length += chunk.length;
    }
    this.reader = new ByteReader(await join(parts, length));
  }

  /** Passes over so many bytes, which need not be there at once. @throws RangeError when there are fewer. */
  async skip(bytes: number): Promise<void> {
    let left = bytes;
    while (left > this.reader.left) {
      left -= this.reader.left;
      const chunk = await this.#next();
      if (chunk === undefined) throw new RangeError("the bytes end too early");
      this.reader = new ByteReader(chunk);
    }
    this.reader.skip(left);
  }

  /** What is left is not wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<Buffer | undefined> {
    const next = this.#isWhole ? undefined : await this.#chunks.next();
    if (next === undefined || next.done === true) {
      this.#isWhole = true;
      return undefined;
    }
    this.#made += next.value.length;
    if (this.#made > this.#bytesMax) {
      throw new BatchTooLarge(`it holds more than ${this.#bytesMax} bytes when undone`);
    }
    return next.value;
  }
}

/** A record that came in parts. */
async function join(parts: readonly Buffer[], length: number): Promise<Buffer> {
  const filled = parts.filter((part) => part.length > 0);
  if (filled.length <= 1) return filled[0] ?? NOTHING;
  const joined = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of filled) {
    await turn.roomFor(part.length, 1);
    turn.count(part.length, 1);
    part.copy(joined, at);
    at += part.length;
  }
  return joined;
}
