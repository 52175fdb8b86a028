import { copyBack, copyBytes } from "./snappy.ts";

const FRAME_MAGIC = 0x18_4d_22_04;
const UNCOMPRESSED_FLAG = 0x8000_0000;
const MATCH_BYTES_MIN = 4;
const FIRST_OUTPUT_BYTES = 64 * 1024;

/**
 * Undoes an LZ4 frame, as Kafka's clients write it: blocks of at most 4 MiB, bare or compressed, linked or not. Checksums
 * are passed over. Never makes more than `bytesMax` bytes.
 * @throws RangeError for bytes that are not an LZ4 frame, or that hold more.
 */
export function decompressLz4(input: Buffer, bytesMax: number): Buffer {
  const frame = readFrameHead(input);
  // A frame need not tell its length; what its bytes can hold at most would be 255 times them.
  const known = frame.contentBytes;
  if (known !== undefined && known > bytesMax) throw tooMuch(bytesMax);
  const output = new GrowingOutput(
    known ?? Math.min(bytesMax, FIRST_OUTPUT_BYTES + input.length * 4),
    bytesMax,
  );
  let at = frame.at;
  for (;;) {
    if (at + 4 > input.length) throw corrupt();
    const head = input.readUInt32LE(at);
    at += 4;
    if (head === 0) break;
    const length = head >= UNCOMPRESSED_FLAG ? head - UNCOMPRESSED_FLAG : head;
    const to = at + length;
    if (to > input.length) throw corrupt();
    if (head >= UNCOMPRESSED_FLAG) output.literal(input, at, length);
    else readBlock(input, at, to, output);
    at = to + (frame.hasBlockChecksums ? 4 : 0);
  }
  return output.finish();
}

interface FrameHead {
  readonly at: number;
  readonly hasBlockChecksums: boolean;
  readonly contentBytes: number | undefined;
}

function readFrameHead(input: Buffer): FrameHead {
  if (input.length < 7 || input.readUInt32LE(0) !== FRAME_MAGIC) throw corrupt();
  const flags = input[4] ?? 0;
  if (flags >>> 6 !== 1) throw corrupt();
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  if (hasDictionary || (hasContentSize && input.length < 15)) throw corrupt();
  const contentBytes = hasContentSize ? Number(input.readBigUInt64LE(6)) : undefined;
  return {
    // Magic, flags, block size, and the checksum of the head.
    at: 7 + (hasContentSize ? 8 : 0),
    hasBlockChecksums: (flags & 0x10) !== 0,
    contentBytes,
  };
}

function readBlock(input: Buffer, from: number, to: number, output: GrowingOutput): void {
  let at = from;
  while (at < to) {
    const token = input[at++] ?? 0;
    let literals = token >>> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (at >= to) throw corrupt();
        byte = input[at++] ?? 0;
        literals += byte;
      } while (byte === 255);
    }
    if (at + literals > to) throw corrupt();
    output.literal(input, at, literals);
    at += literals;
    // The last sequence of a block has literals only.
    if (at === to) return;
    if (at + 2 > to) throw corrupt();
    const offset = (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8);
    at += 2;
    let length = (token & 15) + MATCH_BYTES_MIN;
    if ((token & 15) === 15) {
      let byte: number;
      do {
        if (at >= to) throw corrupt();
        byte = input[at++] ?? 0;
        length += byte;
      } while (byte === 255);
    }
    output.repeat(offset, length);
  }
}

/** Grows by doubling up to its bound, so that a small frame that claims much costs little. */
class GrowingOutput {
  #bytes: Buffer;
  #length = 0;
  readonly #bytesMax: number;

  constructor(firstBytes: number, bytesMax: number) {
    this.#bytes = Buffer.allocUnsafe(firstBytes);
    this.#bytesMax = bytesMax;
  }

  literal(input: Buffer, from: number, length: number): void {
    this.#reserve(length);
    copyBytes(input, from, this.#bytes, this.#length, length);
    this.#length += length;
  }

  repeat(offset: number, length: number): void {
    if (offset === 0 || offset > this.#length) throw corrupt();
    this.#reserve(length);
    copyBack(this.#bytes, this.#length, offset, length);
    this.#length += length;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): void {
    const wanted = this.#length + length;
    if (wanted <= this.#bytes.length) return;
    if (wanted > this.#bytesMax) throw tooMuch(this.#bytesMax);
    const grown = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(wanted, this.#bytes.length * 2)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

function tooMuch(bytesMax: number): RangeError {
  return new RangeError(`more than ${bytesMax} bytes`);
}

function corrupt(): RangeError {
  return new RangeError("these bytes are not an LZ4 frame");
}
