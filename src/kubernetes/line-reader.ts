import { MillraceError } from "../model/errors.ts";

/** Lines out of chunks of bytes: characters and lines may be cut anywhere. */
export class LineReader {
  readonly #bytesMax: number;
  #rest: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Lines that are whole by now, without those that are empty. @throws MillraceError when one is too long */
  take(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      this.#keep(chunk.subarray(from, end));
      const line = Buffer.concat(this.#rest).toString();
      this.#rest = [];
      this.#bytes = 0;
      if (line.trim() !== "") lines.push(line);
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) {
      const message = `The API server sent a line of more than ${this.#bytesMax} bytes. It is asked again.`;
      throw new MillraceError("ERR_MILLRACE_CLUSTER_UNAVAILABLE", message);
    }
    this.#rest.push(part);
  }
}
