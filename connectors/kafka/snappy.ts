/** What snappy-java's stream begins with; Java's producers write it, others send one bare block. */
const STREAM_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The head, two versions of four bytes each. */
const STREAM_HEAD_BYTES = 16;
/** Up to here a loop is faster than a call into the runtime. */
const SHORT_BYTES = 32;

/**
 * Undoes snappy, as a bare block or as snappy-java's stream of blocks. Never makes more than `bytesMax` bytes.
 * @throws RangeError for bytes that are not snappy, or that hold more.
 */
export function decompressSnappy(input: Buffer, bytesMax: number): Buffer {
  if (!input.subarray(0, STREAM_HEAD.length).equals(STREAM_HEAD)) {
    const output = Buffer.allocUnsafe(boundedLength(input, 0, bytesMax).length);
    readBlock(input, 0, input.length, output, 0);
    return output;
  }
  const blocks: { from: number; to: number; length: number }[] = [];
  let length = 0;
  for (let at = STREAM_HEAD_BYTES; at < input.length; ) {
    if (at + 4 > input.length) throw corrupt();
    const from = at + 4;
    const to = from + input.readUInt32BE(at);
    if (to > input.length) throw corrupt();
    const block = boundedLength(input, from, bytesMax - length);
    blocks.push({ from, to, length: block.length });
    length += block.length;
    at = to;
  }
  const output = Buffer.allocUnsafe(length);
  let at = 0;
  for (const block of blocks) {
    readBlock(input, block.from, block.to, output.subarray(at, at + block.length), 0);
    at += block.length;
  }
  return output;
}

/** A block begins with its length when undone. */
function boundedLength(input: Buffer, from: number, bytesMax: number): { length: number; at: number } {
  let length = 0;
  for (let index = 0; index < 5; index++) {
    const byte = input[from + index];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (length > bytesMax) throw new RangeError(`more than ${bytesMax} bytes`);
    return { length, at: from + index + 1 };
  }
  throw corrupt();
}

function readBlock(input: Buffer, from: number, to: number, output: Buffer, start: number): void {
  let at = boundedLength(input, from, Number.MAX_SAFE_INTEGER).at;
  let out = start;
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
      if (at + length > to || out + length > output.length) throw corrupt();
      copyBytes(input, at, output, out, length);
      at += length;
      out += length;
      continue;
    }
    const offsetBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (at + offsetBytes > to) throw corrupt();
    const low = input.readUIntLE(at, offsetBytes);
    at += offsetBytes;
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = kind === 1 ? ((tag >>> 5) << 8) | low : low;
    if (offset === 0 || offset > out || out + length > output.length) throw corrupt();
    copyBack(output, out, offset, length);
    out += length;
  }
  if (out !== output.length) throw corrupt();
}

/** Repeats what stands `offset` bytes back; what is copied may overlap what it makes. */
export function copyBack(output: Buffer, out: number, offset: number, length: number): void {
  const from = out - offset;
  if (offset >= length && length > SHORT_BYTES) {
    output.copyWithin(out, from, from + length);
    return;
  }
  for (let index = 0; index < length; index++) output[out + index] = output[from + index] ?? 0;
}

export function copyBytes(input: Buffer, from: number, output: Buffer, out: number, length: number): void {
  if (length > SHORT_BYTES) {
    input.copy(output, out, from, from + length);
    return;
  }
  for (let index = 0; index < length; index++) output[out + index] = input[from + index] ?? 0;
}

function corrupt(): RangeError {
  return new RangeError("these bytes are not snappy");
}
