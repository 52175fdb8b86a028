import assert from "node:assert/strict";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { decompress } from "../../../../connectors/kafka/codecs.ts";

const BYTES_MAX = 1_000_000;
const STREAM_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);

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

test("undoes snappy, as a bare block and as a stream of blocks", () => {
  fc.assert(
    fc.property(steps, steps, (first, second) => {
      const [a, b] = [carryOut(first), carryOut(second)];
      assert.deepEqual(decompress("snappy", snappyBlock(a), BYTES_MAX), a.plain);
      const stream = snappyStream([snappyBlock(a), snappyBlock(b)]);
      assert.deepEqual(decompress("snappy", stream, BYTES_MAX), Buffer.concat([a.plain, b.plain]));
    }),
  );
});

test("undoes an LZ4 frame", () => {
  fc.assert(
    fc.property(steps, (wanted) => {
      const done = carryOut(wanted);
      assert.deepEqual(decompress("lz4", lz4Frame(done), BYTES_MAX), done.plain);
    }),
  );
});

test("undoes zstd", () => {
  const plain = Buffer.from("abc".repeat(1_000));
  assert.deepEqual(decompress("zstd", zstdCompressSync(plain), BYTES_MAX), plain);
});

for (const codec of ["snappy", "lz4"] as const) {
  test(`${codec}: damaged bytes are an error or other bytes, never more than allowed`, () => {
    const make = codec === "snappy" ? snappyBlock : lz4Frame;
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat({ max: 255 }), (wanted, place, value) => {
        const bytes = make(carryOut(wanted));
        bytes[place % bytes.length] = value;
        try {
          assert.ok(decompress(codec, bytes, 4_000).length <= 4_000);
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });
}

test("a few bytes that stand for many are refused by every codec", () => {
  const bomb = carryOut([{ literal: Buffer.from("a") }, ...Array(100).fill({ offset: 1, length: 64 })]);
  const long = Buffer.alloc(6_000);
  for (const [codec, bytes] of [
    ["snappy", snappyBlock(bomb)],
    ["snappy", snappyStream([snappyBlock(bomb), snappyBlock(bomb)])],
    ["lz4", lz4Frame(bomb)],
    ["zstd", zstdCompressSync(long)],
  ] as const) {
    assert.throws(() => decompress(codec, bytes, 5_000), RangeError, codec);
  }
  assert.equal(decompress("snappy", snappyBlock(bomb), 6_401).length, 6_401);
});
