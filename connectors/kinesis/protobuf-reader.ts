/** What is not the message that it should be. */
export class ProtobufFault extends Error {}

/** A field of a message: the number of a varint, the bytes of what has a length. */
export interface ProtobufField {
  readonly number: number;
  readonly value: number | Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * The fields of a protobuf message in their order, as views into `message`: nothing is copied, and no more is looked at
 * than is there. Fields of fixed width are passed over. @throws ProtobufFault
 */
export function* protobufFields(message: Buffer): Generator<ProtobufField> {
  const cursor = new Cursor(message);
  while (!cursor.isAtEnd) {
    const tag = cursor.varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield { number, value: cursor.varint() };
        break;
      case LENGTH_DELIMITED:
        yield { number, value: cursor.bytes(cursor.varint()) };
        break;
      case FIXED64:
        cursor.bytes(8);
        break;
      case FIXED32:
        cursor.bytes(4);
        break;
      default:
        throw new ProtobufFault("an unknown wire type");
    }
  }
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Exact as long as it is a safe integer: lengths, tags and indexes are small, or the message is broken. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new ProtobufFault("it ends within a number");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      factor *= 128;
    }
    throw new ProtobufFault("a number that is too large");
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new ProtobufFault("it ends within a field");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
