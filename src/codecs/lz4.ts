import { SlidingOutput } from "./sliding-output.ts";

const FRAME_MAGIC = 0x18_4d_22_04;
const UNCOMPRESSED_FLAG = 0x8000_0000;
const MATCH_BYTES_MIN = 4;

/**
 * Undoes an LZ4 frame, as clients of brokers write it, a chunk at a time: blocks of at most 4 MiB, bare or compressed,
 * linked or not. Checksums are passed over, and what it says of its length is not believed.
 * @throws RangeError for bytes that are not an LZ4 frame.
 */
export function* undoLz4(input: Buffer): Generator<Buffer> {
  const frame = readFrameHead(input);
  const output = new SlidingOutput();
  let at = frame.at;
  for (;;) {
    if (at + 4 > input.length) throw corrupt();
    const head = input.readUInt32LE(at);
    at += 4;
    if (head === 0) break;
    const length = head >= UNCOMPRESSED_FLAG ? head - UNCOMPRESSED_FLAG : head;
    const to = at + length;
    if (to > input.length) throw corrupt();
    if (head >= UNCOMPRESSED_FLAG) yield* copyLiteral(input, at, length, output);
    else yield* readBlock(input, at, to, output);
    at = to + (frame.hasBlockChecksums ? 4 : 0);
  }
  yield output.finish();
}

function* copyLiteral(input: Buffer, from: number, length: number, output: SlidingOutput): Generator<Buffer> {
  let [at, left] = [from, length];
  for (;;) {
    const count = output.literal(input, at, left);
    at += count;
    left -= count;
    if (left === 0) return;
    yield output.take();
  }
}

interface FrameHead {
  readonly at: number;
  readonly hasBlockChecksums: boolean;
}

function readFrameHead(input: Buffer): FrameHead {
  if (input.length < 7 || input.readUInt32LE(0) !== FRAME_MAGIC) throw corrupt();
  const flags = input[4] ?? 0;
  if (flags >>> 6 !== 1) throw corrupt();
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  if (hasDictionary || (hasContentSize && input.length < 15)) throw corrupt();
  return {
    // Magic, flags, block size, and the checksum of the head.
    at: 7 + (hasContentSize ? 8 : 0),
    hasBlockChecksums: (flags & 0x10) !== 0,
  };
}

function* readBlock(input: Buffer, from: number, to: number, output: SlidingOutput): Generator<Buffer> {
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
    for (;;) {
      const count = output.literal(input, at, literals);
      at += count;
      literals -= count;
      if (literals === 0) break;
      yield output.take();
    }
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
    for (;;) {
      const count = output.repeat(offset, length);
      if (count < 0) throw corrupt();
      length -= count;
      if (length === 0) break;
      yield output.take();
    }
  }
}

function corrupt(): RangeError {
  return new RangeError("these bytes are not an LZ4 frame");
}
