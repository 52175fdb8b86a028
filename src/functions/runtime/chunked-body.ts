import { HEAD_BYTES_MAX, readHeaders } from "./request-head.ts";

const SIZE_LINE_CHARS_MAX = 256;
/** Extensions are refused: no client writes any. */
const SIZE_LINE = /^[0-9A-Fa-f]{1,8}$/;
const LINE_FEED = 0x0a;
const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

/** Takes a body in chunks apart, however its bytes come. */
export class ChunkedBody {
  #state: "size" | "bytes" | "behindBytes" | "trailers" | "ended" | "malformed" = "size";
  /** The chunk that is read has so many more. */
  #bytesLeft = 0;
  /** The beginning of one, as Latin-1. */
  #line = "";
  readonly #trailerLines: string[] = [];
  #trailerChars = 0;
  #trailers = NO_TRAILERS;

  get hasEnded(): boolean {
    return this.#state === "ended";
  }

  /** Nothing behind this can be read. */
  get isMalformed(): boolean {
    return this.#state === "malformed";
  }

  /** What stands behind its end, by names in lower case. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers;
  }

  /** Hands on what is in there, and returns how many bytes were of this body. */
  take(read: Buffer, pieces: Buffer[]): number {
    let at = 0;
    while (at < read.length && this.#state !== "ended" && this.#state !== "malformed")
      at = this.#state === "bytes" ? this.#takeBytes(read, at, pieces) : this.#takeLine(read, at);
    return at;
  }

  #takeBytes(read: Buffer, at: number, pieces: Buffer[]): number {
    const end = Math.min(read.length, at + this.#bytesLeft);
    pieces.push(read.subarray(at, end));
    this.#bytesLeft -= end - at;
    if (this.#bytesLeft === 0) this.#state = "behindBytes";
    return end;
  }

  #takeLine(read: Buffer, at: number): number {
    const end = read.indexOf(LINE_FEED, at);
    const charsMax = this.#state === "trailers" ? HEAD_BYTES_MAX : SIZE_LINE_CHARS_MAX;
    const stop = end < 0 ? read.length : end + 1;
    if (this.#line.length + stop - at > charsMax) {
      this.#state = "malformed";
      return at;
    }
    this.#line += read.toString("latin1", at, stop);
    if (end < 0) return stop;
    const line = this.#line;
    this.#line = "";
    this.#state = line.endsWith("\r\n") ? this.#behind(line.slice(0, -2)) : "malformed";
    return stop;
  }

  #behind(line: string): "size" | "bytes" | "trailers" | "ended" | "malformed" {
    if (this.#state === "behindBytes") return line === "" ? "size" : "malformed";
    if (this.#state === "trailers") return this.#behindTrailer(line);
    if (!SIZE_LINE.test(line)) return "malformed";
    this.#bytesLeft = Number.parseInt(line, 16);
    return this.#bytesLeft === 0 ? "trailers" : "bytes";
  }

  #behindTrailer(line: string): "trailers" | "ended" | "malformed" {
    if (line === "") {
      const trailers = this.#trailerLines.length === 0 ? NO_TRAILERS : readHeaders(this.#trailerLines, 0);
      if (trailers === undefined) return "malformed";
      this.#trailers = trailers;
      return "ended";
    }
    this.#trailerChars += line.length;
    this.#trailerLines.push(line);
    return this.#trailerChars > HEAD_BYTES_MAX ? "malformed" : "trailers";
  }
}
