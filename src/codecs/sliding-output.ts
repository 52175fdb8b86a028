/** How far back LZ4 and every known writer of snappy repeat. */
const WINDOW_BYTES = 64 * 1024;
const CHUNK_BYTES = 192 * 1024;
/** Up to here a loop is faster than a call into the runtime. */
const SHORT_BYTES = 32;

/**
 * What an LZ77 decoder makes, in chunks: who decodes takes a chunk whenever it is full, and may stop in between. Holds
 * no more than a chunk and what repeats may reach back to, however much the input claims to hold.
 */
export class SlidingOutput {
  #bytes: Buffer;
  /** Where the present chunk begins; before it stands what may be repeated. */
  #from = 0;
  #to = 0;
  #total = 0;

  /** `bytesMax`: what the input holds at most, as far as that is known. */
  constructor(bytesMax = CHUNK_BYTES) {
    this.#bytes = Buffer.allocUnsafe(Math.min(bytesMax, CHUNK_BYTES));
  }

  /** All bytes that were made. */
  get total(): number {
    return this.#total;
  }

  /** Copies as much as the chunk has room for, and says how much that was. */
  literal(input: Buffer, from: number, length: number): number {
    const count = Math.min(length, this.#bytes.length - this.#to);
    if (count > SHORT_BYTES) input.copy(this.#bytes, this.#to, from, from + count);
    else for (let index = 0; index < count; index++) this.#bytes[this.#to + index] = input[from + index] ?? 0;
    this.#to += count;
    this.#total += count;
    return count;
  }

  /**
   * Repeats what stands `offset` bytes back, as far as the chunk has room, and says how much that was; −1: nothing
   * stands there. What is copied may overlap what it makes.
   */
  repeat(offset: number, length: number): number {
    if (offset <= 0 || offset > this.#to || offset > WINDOW_BYTES) return -1;
    const bytes = this.#bytes;
    const [from, to] = [this.#to - offset, this.#to];
    const count = Math.min(length, bytes.length - to);
    if (offset >= count && count > SHORT_BYTES) bytes.copyWithin(to, from, from + count);
    else for (let index = 0; index < count; index++) bytes[to + index] = bytes[from + index] ?? 0;
    this.#to += count;
    this.#total += count;
    return count;
  }

  /** The chunk, which is the taker's from now on. */
  take(): Buffer {
    const chunk = this.#bytes.subarray(this.#from, this.#to);
    const kept = Math.min(this.#to, WINDOW_BYTES);
    const next = Buffer.allocUnsafe(WINDOW_BYTES + CHUNK_BYTES);
    this.#bytes.copy(next, 0, this.#to - kept, this.#to);
    this.#bytes = next;
    this.#from = kept;
    this.#to = kept;
    return chunk;
  }

  /** The last chunk: nothing is made behind it. */
  finish(): Buffer {
    return this.#bytes.subarray(this.#from, this.#to);
  }
}
