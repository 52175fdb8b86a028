const LENGTH_BYTES = 4;

export interface FramesOptions {
  /** What a frame that begins now may have, without its length. */
  readonly bytesMax: () => number;
  /** A whole frame with its length in front. */
  readonly onFrame: (frame: Buffer) => void;
  /** It claims more than it may have, or less than nothing. Nothing is read any more. */
  readonly onTooLarge: (bytes: number) => void;
}

/**
 * Puts the frames of a connection together. A frame's claim is judged before anything is made of it, and what comes in
 * small pieces is copied into one buffer: each piece of its own costs many times what it holds.
 */
export class Frames {
  readonly #options: FramesOptions;
  readonly #head = Buffer.alloc(LENGTH_BYTES);
  #headBytes = 0;
  /** Filled up to `#filled`. Its pages are not there before they are written. */
  #frame: Buffer | undefined;
  #filled = 0;
  #isBroken = false;

  constructor(options: FramesOptions) {
    this.#options = options;
  }

  push(piece: Buffer): void {
    for (let at = 0; at < piece.length && !this.#isBroken; ) at = this.#take(piece, at);
  }

  #take(piece: Buffer, from: number): number {
    let at = from;
    if (this.#frame === undefined) {
      const isWholeHead = this.#headBytes === 0 && piece.length - at >= LENGTH_BYTES;
      const headAt = at;
      const count = Math.min(LENGTH_BYTES - this.#headBytes, piece.length - at);
      piece.copy(this.#head, this.#headBytes, at, at + count);
      this.#headBytes += count;
      at += count;
      if (this.#headBytes < LENGTH_BYTES) return at;
      this.#headBytes = 0;
      const bytes = this.#head.readInt32BE(0);
      // plant: a-brokers-frame-is-believed
      if (bytes < 0 || bytes > this.#options.bytesMax()) {
        this.#isBroken = true;
        this.#options.onTooLarge(bytes);
        return piece.length;
      }
      if (isWholeHead && piece.length - at >= bytes) {
        this.#options.onFrame(piece.subarray(headAt, at + bytes));
        return at + bytes;
      }
      this.#frame = Buffer.allocUnsafe(LENGTH_BYTES + bytes);
      this.#head.copy(this.#frame);
      this.#filled = LENGTH_BYTES;
    }
    const count = Math.min(this.#frame.length - this.#filled, piece.length - at);
    piece.copy(this.#frame, this.#filled, at, at + count);
    this.#filled += count;
    if (this.#filled === this.#frame.length) {
      const frame = this.#frame;
      this.#frame = undefined;
      this.#options.onFrame(frame);
    }
    return at + count;
  }
}
