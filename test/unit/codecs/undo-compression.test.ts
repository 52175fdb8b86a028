import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { type CodecName, undoCompression } from "../../../src/codecs/undo-compression.ts";

const PART_BYTES_MAX = 256 * 1024;
const STREAM_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);

/** All of it; asks for no more than `bytesMax` and what came with the last of them. */
async function undo(codec: CodecName, bytes: Buffer, bytesMax = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const parts: Buffer[] = [];
  const chunks = await undoCompression(codec, bytes);
  for (let length = 0; length < bytesMax; ) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    assert.ok(value.length <= PART_BYTES_MAX);
    parts.push(value);
    length += value.length;
  }
  await chunks.return?.();
  return Buffer.concat(parts);
}

/** A literal, or a copy of `length` bytes from `offset` bytes back. */
type Step = { readonly literal: Buffer } | { readonly offset: number; readonly length: number };

const steps = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes): Step => ({ literal: Buffer.from(bytes) })),
    fc.record({ offset: fc.integer({ min: 1, max: 400 }), length: fc.integer({ min: 4, max: 64 }) }),
  ),
  { maxLength: 30 },
);

/** What steps say, and the steps that say it: copies that reach before the start become literals. */
function carryOut(wanted: readonly Step[]): { readonly plain: Buffer; readonly steps: readonly Step[] } {
  const plain: number[] = [];
  const done: Step[] = [];
  for (const step of wanted) {
    if ("literal" in step) {
      plain.push(...step.literal);
      done.push(step);
    } else if (plain.length > 0) {
      const offset = Math.min(step.offset, plain.length);
      for (let index = 0; index < step.length; index++) plain.push(plain[plain.length - offset] ?? 0);
      done.push({ offset, length: step.length });
    }
  }
  return { plain: Buffer.from(plain), steps: done };
}

function snappyBlock({ plain, steps: done }: ReturnType<typeof carryOut>): Buffer {
  const parts: Buffer[] = [uvarint(plain.length)];
  for (const step of done) {
    if ("literal" in step) {
      const last = step.literal.length - 1;
      parts.push(last < 60 ? Buffer.from([last << 2]) : Buffer.from([61 << 2, last & 0xff, last >> 8]));
      parts.push(step.literal);
    } else if (step.length <= 11 && step.offset % 2 === 0) {
      parts.push(Buffer.from([((step.offset >> 8) << 5) | ((step.length - 4) << 2) | 1, step.offset & 0xff]));
    } else {
      parts.push(Buffer.from([((step.length - 1) << 2) | 2, step.offset & 0xff, step.offset >> 8]));
    }
  }
  return Buffer.concat(parts);
}

function lz4Frame({ steps: done }: ReturnType<typeof carryOut>): Buffer {
  const sequences: Buffer[] = [];
  let literal = Buffer.alloc(0);
  for (const step of done) {
    if ("literal" in step) {
      literal = Buffer.concat([literal, step.literal]);
    } else {
      sequences.push(lz4Sequence(literal, step));
      literal = Buffer.alloc(0);
    }
  }
  sequences.push(lz4Sequence(literal, undefined));
  const block = Buffer.concat(sequences);
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  return Buffer.concat([head, size, block, Buffer.alloc(4)]);
}

function lz4Sequence(literal: Buffer, copy: { offset: number; length: number } | undefined): Buffer {
  const match = copy === undefined ? 0 : copy.length - 4;
  const token = (Math.min(15, literal.length) << 4) | Math.min(15, match);
  const parts = [Buffer.from([token]), lz4Extra(literal.length), literal];
  if (copy !== undefined) parts.push(Buffer.from([copy.offset & 0xff, copy.offset >> 8]), lz4Extra(match));
  return Buffer.concat(parts);
}

function lz4Extra(length: number): Buffer {
  if (length < 15) return Buffer.alloc(0);
  const rest = length - 15;
  return Buffer.from([...Array(Math.floor(rest / 255)).fill(255), rest % 255]);
}

function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

function snappyStream(blocks: readonly Buffer[]): Buffer {
  const parts = blocks.flatMap((block) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(block.length);
    return [size, block];
  });
  return Buffer.concat([STREAM_HEAD, ...parts]);
}

test("undoes snappy, as a bare block and as a stream of blocks", async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (first, second) => {
      const [a, b] = [carryOut(first), carryOut(second)];
      assert.deepEqual(await undo("snappy", snappyBlock(a)), a.plain);
      const stream = snappyStream([snappyBlock(a), snappyBlock(b)]);
      assert.deepEqual(await undo("snappy", stream), Buffer.concat([a.plain, b.plain]));
    }),
  );
});

test("undoes an LZ4 frame", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (wanted) => {
      const done = carryOut(wanted);
      assert.deepEqual(await undo("lz4", lz4Frame(done)), done.plain);
    }),
  );
});

test("undoes zstd", async () => {
  const plain = Buffer.from("abc".repeat(1_000));
  assert.deepEqual(await undo("zstd", zstdCompressSync(plain)), plain);
});

for (const codec of ["snappy", "lz4"] as const) {
  test(`${codec}: damaged bytes are an error or other bytes`, async () => {
    const make = codec === "snappy" ? snappyBlock : lz4Frame;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.nat({ max: 255 }), async (wanted, place, value) => {
        const bytes = make(carryOut(wanted));
        bytes[place % bytes.length] = value;
        await undo(codec, bytes, 4_000).catch((error: unknown) =>
          assert.ok(error instanceof RangeError, String(error)),
        );
      }),
      { numRuns: 1_000 },
    );
  });
}

test("what repeats over the ends of parts is undone whole", async () => {
  const far = { offset: 60_000, length: 64 };
  const wanted: Step[] = [{ literal: Buffer.from(Array.from({ length: 300 }, (_, at) => at % 251)) }];
  for (let index = 0; index < 12_000; index++) wanted.push(index % 3 === 0 ? far : { offset: 7, length: 61 });
  const done = carryOut(wanted);
  assert.ok(done.plain.length > 600_000);
  assert.deepEqual(await undo("snappy", snappyBlock(done)), done.plain);
  assert.deepEqual(await undo("lz4", lz4Frame(done)), done.plain);
});

test("of a few bytes that stand for many only what is asked for is made, by every codec", async () => {
  const mebibytes = 64;
  const zeros = Buffer.alloc(mebibytes * 1024 * 1024);
  const copies = { offset: 1, length: 64 } as const;
  const literal = { literal: Buffer.from("a") };
  const done = carryOut([literal, ...Array<Step>(20_000).fill(copies)]);
  for (const [codec, bytes] of [
    ["snappy", snappyBlock(done)],
    ["snappy", snappyStream(Array(50).fill(snappyBlock(done)))],
    ["lz4", lz4Frame(done)],
    ["gzip", gzipSync(zeros)],
    ["zstd", zstdCompressSync(zeros)],
  ] as const) {
    const made = await undo(codec, bytes, 300_000);
    assert.ok(made.length >= 300_000 && made.length < 600_000, `${codec}: ${made.length}`);
  }
});

for (const codec of ["gzip", "zstd"] as const) {
  test(`${codec}: what is cut or damaged behind its first parts is an error there`, async () => {
    const plain = randomBytes(3_000_000);
    const whole = codec === "gzip" ? gzipSync(plain) : zstdCompressSync(plain);
    assert.deepEqual(await undo(codec, whole), plain);
    await assert.rejects(undo(codec, whole.subarray(0, 2_000_000)));
  });
}
