import { gzipSync, zstdCompressSync } from "node:zlib";
import { batchBytes, varint } from "./batch-bytes.ts";

/** A few bytes that a producer may send, and what they are meant to cost. */
export interface HostileBatch {
  readonly name: string;
  /** From its first offset on. */
  readonly bytes: (baseOffset: number) => Buffer;
  /** Offsets that it has. */
  readonly offsets: number;
  /** What becomes of it. */
  readonly ending: "oneGivenUp" | "delivered";
}

type Codec = 0 | 1 | 2 | 3 | 4;

function batch(codec: Codec, count: number, body: Buffer): (baseOffset: number) => Buffer {
  const bytes = batchBytes({ baseOffset: 0, records: [], count, lastOffset: count - 1, body });
  bytes.writeInt16BE(codec, 21);
  return (baseOffset) => {
    const own = Buffer.from(bytes);
    own.writeBigInt64BE(BigInt(baseOffset), 0);
    return own;
  };
}

/** A record with a length in front; `head` is what stands before its headers. */
function record(head: Buffer, headers: Buffer): Buffer {
  const length = head.length + headers.length;
  return Buffer.concat([varint(length), head, headers]);
}

const EMPTY_HEAD = Buffer.concat([Buffer.alloc(1), varint(0), varint(0), varint(-1), varint(-1)]);

function largeHeader(bytes: number): Buffer {
  return record(
    EMPTY_HEAD,
    Buffer.concat([varint(1), varint(1), Buffer.from("h"), varint(bytes), Buffer.alloc(bytes, 0x80)]),
  );
}

function manyHeaders(count: number, offset = 0): Buffer {
  const head = Buffer.concat([Buffer.alloc(1), varint(0), varint(offset), varint(-1), varint(-1)]);
  return record(head, Buffer.concat([varint(count), Buffer.alloc(count * 2, Buffer.from([0, 1]))]));
}

function emptyRecords(count: number): Buffer {
  const parts: Buffer[] = [];
  for (let offset = 0; offset < count; offset++) {
    const delta = varint(offset);
    parts.push(varint(5 + delta.length), Buffer.from([0, 0]), delta, Buffer.from([1, 1, 0]));
  }
  return Buffer.concat(parts);
}

function largeValue(bytes: number): Buffer {
  const head = Buffer.concat([
    Buffer.alloc(1),
    varint(0),
    varint(0),
    varint(-1),
    varint(bytes),
    Buffer.alloc(bytes),
  ]);
  return record(head, varint(0));
}

/** One bare block of snappy: a zero, and copies of it. */
function snappyZeros(plain: Buffer, zerosFrom: number): Buffer {
  const [front, zeros] = [plain.subarray(0, zerosFrom + 1), plain.length - zerosFrom - 1];
  const length: number[] = [];
  for (let rest = plain.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
    if (rest < 128) break;
  }
  const copies = Math.floor((zeros - 1) / 64);
  const last = zeros - copies * 64 - 1;
  return Buffer.concat([
    Buffer.from(length),
    Buffer.from([61 << 2, (front.length - 1) & 0xff, (front.length - 1) >> 8]),
    front,
    Buffer.alloc(copies * 3, Buffer.from([(63 << 2) | 2, 1, 0])),
    ...(last > 0 ? [Buffer.from([((last - 1) << 2) | 2, 1, 0])] : []),
    // The record's number of headers.
    Buffer.from([0, plain.at(-1) ?? 0]),
  ]);
}

/** The inputs of the field, and others of their kind. */
export function hostileBatches(emptyCount: number): readonly HostileBatch[] {
  const value = largeValue(40_000_000);
  return [
    {
      name: "one header of 60 MB in 58 KB of gzip",
      bytes: batch(1, 1, gzipSync(largeHeader(60_000_000))),
      ...{ offsets: 1, ending: "oneGivenUp" },
    },
    {
      name: "ten million headers in 20 KB of gzip",
      bytes: batch(1, 1, gzipSync(manyHeaders(10_000_000))),
      ...{ offsets: 1, ending: "oneGivenUp" },
    },
    {
      name: "twenty thousand headers that are not compressed",
      bytes: batch(0, 1, manyHeaders(20_000)),
      ...{ offsets: 1, ending: "oneGivenUp" },
    },
    {
      name: "a thousand records of nine thousand headers each",
      bytes: batch(
        1,
        1_000,
        gzipSync(Buffer.concat(Array.from({ length: 1_000 }, (_, at) => manyHeaders(9_000, at)))),
      ),
      ...{ offsets: 1_000, ending: "delivered" },
    },
    {
      name: "a header of 2 MB that is not compressed",
      bytes: batch(0, 1, largeHeader(2_000_000)),
      ...{ offsets: 1, ending: "oneGivenUp" },
    },
    {
      name: `${emptyCount} empty records in zstd`,
      bytes: batch(4, emptyCount, zstdCompressSync(emptyRecords(emptyCount))),
      ...{ offsets: emptyCount, ending: "delivered" },
    },
    {
      name: "a record of length −1 that is to be passed over for ever",
      bytes: batch(0, 2 ** 31 - 2, Buffer.from([1, 0, 0, 0])),
      ...{ offsets: 2 ** 31 - 2, ending: "oneGivenUp" },
    },
    {
      name: "a value of 40 MB in zstd",
      bytes: batch(4, 1, zstdCompressSync(value)),
      ...{ offsets: 1, ending: "oneGivenUp" },
    },
    {
      name: "a value of 40 MB in one block of snappy",
      bytes: batch(2, 1, snappyZeros(value, 20)),
      ...{ offsets: 1, ending: "oneGivenUp" },
    },
    {
      name: "records that go on behind 64 MiB in zstd",
      bytes: batch(
        4,
        100,
        zstdCompressSync(Buffer.concat([largeValue(66_000_000), Buffer.alloc(9_000_000)])),
      ),
      ...{ offsets: 100, ending: "oneGivenUp" },
    },
    {
      name: "records that all say to have the same offset",
      bytes: batch(0, 1_000, Buffer.concat(Array<Buffer>(1_000).fill(record(EMPTY_HEAD, varint(0))))),
      ...{ offsets: 1_000, ending: "oneGivenUp" },
    },
  ];
}
