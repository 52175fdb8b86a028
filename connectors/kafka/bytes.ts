/** Reads Kafka's big-endian numbers out of bytes that a broker sent. Reading past the end throws `RangeError`. */
export class ByteReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  int8(): number {
    return this.bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#take(4));
  }

  /** Reads offsets and times; larger ones than a number holds exactly are refused. */
  int64(): number {
    const at = this.#take(8);
    const value = this.bytes.readInt32BE(at) * 0x1_0000_0000 + this.bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw new RangeError("a 64-bit number is too large");
    return value;
  }

  /** As a key of a map: producer ids may be any 64-bit number. */
  bigint64(): bigint {
    return this.bytes.readBigInt64BE(this.#take(8));
  }

  varint(): number {
    const { bytes, end } = this;
    let at = this.at;
    let value = 0;
    let shift = 0;
    for (;;) {
      if (at >= end || shift > 28) throw new RangeError("a number runs past its end");
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    this.at = at;
    return (value >>> 1) ^ -(value & 1);
  }

  /** Any time that a producer gave: a `bigint` where a number does not hold it. */
  exactInt64(): number | bigint {
    return exactly(this.bytes.readBigInt64BE(this.#take(8)));
  }

  /** Up to 64 bits; a `bigint` where a number does not hold them. */
  varlong(): number | bigint {
    let value = 0;
    let factor = 1;
    for (let length = 1; length <= 7; length++) {
      const byte = this.bytes[this.at] ?? 0;
      if (this.at >= this.end) throw new RangeError("a number runs past its end");
      this.at++;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value - 1) / 2 - 1;
      factor *= 128;
    }
    return this.#longVarlong(BigInt(value));
  }

  /** The bytes of a varlong from the eighth on. */
  #longVarlong(low: bigint): number | bigint {
    let value = low;
    for (let shift = 49n; ; shift += 7n) {
      if (this.at >= this.end || shift > 63n) throw new RangeError("a number runs past its end");
      const byte = this.bytes[this.at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const bits = BigInt.asUintN(64, value);
    return exactly((bits >> 1n) ^ -(bits & 1n));
  }

  /** `null` for the length −1. The bytes are not copied. */
  varintBytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.#take(length);
    return this.bytes.subarray(from, from + length);
  }

  slice(length: number): Buffer {
    const from = this.#take(length);
    return this.bytes.subarray(from, from + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  nullableString(): string | null {
    return this.bytes.readInt16BE(this.at) < 0 && this.int16() < 0 ? null : this.string();
  }

  string(): string {
    const length = this.int16();
    if (length < 0) return "";
    const from = this.#take(length);
    return this.bytes.toString("utf8", from, from + length);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (this.at >= this.end || shift > 28) throw new RangeError("a number runs past its end");
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** The empty text for null. */
  compactString(): string {
    const length = this.uvarint() - 1;
    if (length < 0) return "";
    const from = this.#take(length);
    return this.bytes.toString("utf8", from, from + length);
  }

  /** 22 characters of base64url, as Kafka shows topic ids; `undefined` for zero, which is none. */
  uuid(): string | undefined {
    const bytes = this.slice(16);
    return bytes.every((byte) => byte === 0) ? undefined : bytes.toString("base64url");
  }

  /** Each item is at least a byte: a count that cannot be true is refused before anything is made. */
  array<T>(count: number, read: () => T): T[] {
    if (count > this.left) throw new RangeError("the bytes end too early");
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(read());
    return items;
  }

  /** Tagged fields of a structure; those that nobody wants are passed over. */
  tags(read: (tag: number) => void = () => undefined): void {
    const count = this.uvarint();
    for (let index = 0; index < count; index++) {
      const tag = this.uvarint();
      const length = this.uvarint();
      const from = this.#take(length);
      const next = this.at;
      this.at = from;
      read(tag);
      this.at = next;
    }
  }

  #take(length: number): number {
    const from = this.at;
    if (length < 0 || from + length > this.end) throw new RangeError("the bytes end too early");
    this.at = from + length;
    return from;
  }
}

/** 64 bits go around, as they do for the broker and for Java's clients. */
export function sumOfInt64(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return exactly(BigInt.asIntN(64, BigInt(a) + BigInt(b)));
}

function exactly(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
