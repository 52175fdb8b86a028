import { readFields } from "./wire-head.ts";

/** The longest that may stand behind the sizes of a body's chunks, which nobody reads, and behind the last one. */
const FRAME_BYTES_MAX = 16 * 1024;
const SIZE_DIGITS_MAX = 8;
/** Chunks that are taken apart before others have their turn (I25). */
export const TAKEN_CHUNKS_MAX = 1_000;

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();
const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const SEMICOLON = 0x3b;

type State =
  | "size"
  | "extension"
  | "sizeEnd"
  | "bytes"
  | "bytesCr"
  | "bytesLf"
  | "trailer"
  | "trailerLine"
  | "trailerEnd"
  | "lastLf"
  | "ended"
  | "malformed";

/**
 * Takes a body in chunks apart, however its bytes come, in the memory that they were read into: chunks of one byte make
 * one piece of many bytes. Extensions are passed over. A line that does not end in CR LF is malformed.
 */
export class ChunkedBytes {
  #state: State = "size";
  #digits = 0;
  #chunkBytes = 0;
  #frameBytes = 0;
  /** Where the last `take` stopped. */
  #at = 0;
  #chunks = 0;
  /** Latin-1, with the ends of its lines. */
  #trailer = "";

  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  /** Nothing behind this can be read. */
  get isMalformed(): boolean {
    return this.#state === "malformed";
  }

  /** What stands behind its end, by names in lower case; nothing of what cannot be read. */
  get trailers(): ReadonlyMap<string, string> {
    if (this.#trailer === "") return NO_TRAILERS;
    return readFields(this.#trailer.split("\r").slice(0, -1), 0) ?? NO_TRAILERS;
  }

  /** In `read`, behind what the last `take` has looked at. */
  get at(): number {
    return this.#at;
  }

  /** How many the last `take` has taken apart. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Bytes of the body in `read` from `from` on: all, up to its end, or those of so many chunks. A view of `read`. */
  take(read: Buffer, from: number): Buffer {
    this.#chunks = 0;
    let at = from;
    let [begin, end] = [from, from];
    while (at < read.length && this.#chunks < TAKEN_CHUNKS_MAX) {
      if (this.#state === "ended" || this.#state === "malformed") break;
      if (this.#state !== "bytes") {
        this.#state = this.#behind(read[at] ?? 0);
        at++;
        continue;
      }
      const stop = Math.min(read.length, at + this.#chunkBytes);
      this.#chunkBytes -= stop - at;
      if (begin === end) begin = end = at;
      // Chunks stand behind each other then, where the frames between them stood.
      else if (end < at) read.copyWithin(end, at, stop);
      end += stop - at;
      at = stop;
      if (this.#chunkBytes > 0) continue;
      this.#state = "bytesCr";
      this.#chunks++;
    }
    this.#at = at;
    return read.subarray(begin, end);
  }

  #behind(byte: number): State {
    switch (this.#state) {
      case "size":
        return this.#behindSize(byte);
      case "extension":
        return this.#isWithin(byte) ? (byte === CR ? "sizeEnd" : "extension") : "malformed";
      case "sizeEnd":
        return byte === LF ? this.#begun() : "malformed";
      case "bytesCr":
        return byte === CR ? "bytesLf" : "malformed";
      case "bytesLf":
        return byte === LF ? "size" : "malformed";
      case "trailer":
        if (byte === CR) return "lastLf";
        return this.#isOfTrailer(byte) ? "trailerLine" : "malformed";
      case "trailerLine":
        return this.#isOfTrailer(byte) ? (byte === CR ? "trailerEnd" : "trailerLine") : "malformed";
      case "trailerEnd":
        return byte === LF ? "trailer" : "malformed";
      case "lastLf":
        return byte === LF ? "ended" : "malformed";
      case "bytes":
      case "ended":
      case "malformed":
        return this.#state;
    }
  }

  #behindSize(byte: number): State {
    const digit = digitOf(byte);
    if (digit >= 0) {
      this.#chunkBytes = this.#chunkBytes * 16 + digit;
      return ++this.#digits > SIZE_DIGITS_MAX ? "malformed" : "size";
    }
    if (this.#digits === 0) return "malformed";
    if (byte === CR) return "sizeEnd";
    return byte === SEMICOLON || byte === SPACE || byte === TAB ? "extension" : "malformed";
  }

  #begun(): State {
    this.#digits = 0;
    return this.#chunkBytes === 0 ? "trailer" : "bytes";
  }

  #isOfTrailer(byte: number): boolean {
    if (!this.#isWithin(byte)) return false;
    this.#trailer += String.fromCharCode(byte);
    return true;
  }

  #isWithin(byte: number): boolean {
    return ++this.#frameBytes <= FRAME_BYTES_MAX && byte !== LF;
  }
}

/** −1: none. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
