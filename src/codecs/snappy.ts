import { SlidingOutput } from "./sliding-output.ts";

/** What snappy-java's stream begins with; Java's producers write it, others send one bare block. */
const STREAM_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The head, two versions of four bytes each. */
const STREAM_HEAD_BYTES = 16;

/**
 * Undoes snappy, as a bare block or as snappy-java's stream of blocks, a chunk at a time.
 * @throws RangeError for bytes that are not snappy.
 */
export function* undoSnappy(input: Buffer): Generator<Buffer> {
  if (!input.subarray(0, STREAM_HEAD.length).equals(STREAM_HEAD)) {
    yield* readBlock(input, 0, input.length);
    return;
  }
  for (let at = STREAM_HEAD_BYTES; at < input.length; ) {
    if (at + 4 > input.length) throw corrupt();
    const from = at + 4;
    const to = from + input.readUInt32BE(at);
    if (to > input.length) throw corrupt();
    yield* readBlock(input, from, to);
    at = to;
  }
}

/** A block begins with its length when undone. */
function blockLength(input: Buffer, from: number, to: number): { length: number; at: number } {
  let length = 0;
  for (let index = 0; index < 5 && from + index < to; index++) {
    const byte = input[from + index] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { length, at: from + index + 1 };
  }
  throw corrupt();
}

function* readBlock(input: Buffer, from: number, to: number): Generator<Buffer> {
  const block = blockLength(input, from, to);
  const output = new SlidingOutput(block.length);
  let at = block.at;
  while (at < to) {
    const tag = input[at++] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const extra = length - 59;
        if (at + extra > to) throw corrupt();
        length = input.readUIntLE(at, extra);
        at += extra;
      }
      length++;
      if (at + length > to || output.total + length > block.length) throw corrupt();
      for (;;) {
        const count = output.literal(input, at, length);
        at += count;
        length -= count;
        if (length === 0) break;
        yield output.take();
      }
      continue;
    }
    const offsetBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (at + offsetBytes > to) throw corrupt();
    const low = input.readUIntLE(at, offsetBytes);
    at += offsetBytes;
    let length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = kind === 1 ? ((tag >>> 5) << 8) | low : low;
    if (output.total + length > block.length) throw corrupt();
    for (;;) {
      const count = output.repeat(offset, length);
      if (count < 0) throw corrupt();
      length -= count;
      if (length === 0) break;
      yield output.take();
    }
  }
  if (output.total !== block.length) throw corrupt();
  yield output.finish();
}

function corrupt(): RangeError {
  return new RangeError("these bytes are not snappy");
}
