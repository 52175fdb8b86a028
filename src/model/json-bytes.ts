/**
 * Exact-size writing of JSON into a Buffer. Stringifying an event and turning it into bytes costs about five times as
 * much as writing its parts where they belong (see test/load/encoding.bench.ts), because `JSON.stringify` scans every
 * character for escapes and the result is converted to UTF-8 once more.
 */

/** Printable ASCII without `"` and `\`: its JSON is itself between quotes, one byte a character. */
export function isPlainAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}

/** JSON of a string with every character as ASCII or UTF-8, quotes included. */
export function quoteJson(text: string): string {
  return isPlainAscii(text) ? `"${text}"` : JSON.stringify(text);
}

/** Length of `length` bytes in base64, padding included. */
export function base64Length(length: number): number {
  return Math.ceil(length / 3) * 4;
}

/** Elements, which are JSON already, with commas between them and what stands before and behind. ASCII but for them. */
export function joinElements(front: string, elements: readonly Uint8Array[], end: string): Uint8Array {
  let byteLength = front.length + end.length + Math.max(0, elements.length - 1);
  for (const { length } of elements) byteLength += length;
  const writer = new JsonBytesWriter(byteLength);
  writer.ascii(front);
  let isFirst = true;
  for (const element of elements) {
    if (!isFirst) writer.ascii(",");
    isFirst = false;
    writer.bytes(element);
  }
  writer.ascii(end);
  return writer.finish();
}

/** Writes parts one behind the other into a Buffer whose exact size is known before. */
export class JsonBytesWriter {
  readonly #target: Buffer;
  #offset = 0;

  constructor(byteLength: number) {
    this.#target = Buffer.allocUnsafe(byteLength);
  }

  /** Text that is ASCII for certain. */
  ascii(text: string): void {
    this.#offset += this.#target.write(text, this.#offset, "latin1");
  }

  text(text: string): void {
    this.#offset += this.#target.write(text, this.#offset, "utf8");
  }

  base64(bytes: Buffer): void {
    this.ascii(bytes.toString("base64"));
  }

  bytes(bytes: Uint8Array): void {
    this.#target.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  /** @throws RangeError when the parts did not fill the announced size: the size rule and the writing disagree. */
  finish(): Buffer {
    if (this.#offset !== this.#target.length) {
      throw new RangeError(
        `wrote ${this.#offset} of ${this.#target.length} bytes: the size was computed wrongly`,
      );
    }
    return this.#target;
  }
}
