import { gzipSync } from "node:zlib";

/** A record of a batch to be made; offsets count from the batch's base. */
export interface SketchedRecord {
  readonly offset: number;
  readonly key?: string;
  readonly value?: string | Buffer;
  readonly headers?: readonly (readonly [string, string | null])[];
  /** Against the batch's base. */
  readonly timestampDelta?: bigint;
}

export interface SketchedBatch {
  readonly baseOffset: number;
  readonly records: readonly SketchedRecord[];
  /** Default: that of the last record; compaction leaves it higher. */
  readonly lastOffset?: number;
  /** Of the leader that wrote it. */
  readonly leaderEpoch?: number;
  readonly producerId?: bigint;
  readonly isTransactional?: boolean;
  /** A control batch of one marker. */
  readonly marker?: "abort" | "commit";
  readonly codec?: 0 | 1 | 7;
  /** What the batch says that it holds; default: the truth. */
  readonly count?: number;
  readonly magic?: number;
  readonly baseTimestampMs?: number | bigint;
  readonly appendTimeMs?: number;
  /** In the place of the encoded records. */
  readonly body?: Buffer;
}

const HEAD_BYTES = 61;

/** Record batches as a broker sends them, version 2. Checksums are left 0: nobody reads them. */
export function batchBytes(batch: SketchedBatch): Buffer {
  const { baseOffset, marker, codec = 0, baseTimestampMs = 1_000, appendTimeMs } = batch;
  const records = marker === undefined ? batch.records : [markerRecord(baseOffset, marker)];
  const plain = Buffer.concat(records.map((record) => recordBytes(record, baseOffset)));
  const body = batch.body ?? (codec === 1 ? gzipSync(plain) : plain);
  const bytes = Buffer.alloc(HEAD_BYTES + body.length);
  const lastOffset = batch.lastOffset ?? records.at(-1)?.offset ?? baseOffset;
  const flags =
    codec |
    (appendTimeMs === undefined ? 0 : 0x08) |
    (batch.isTransactional || marker !== undefined ? 0x10 : 0) |
    (marker === undefined ? 0 : 0x20);
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(batch.leaderEpoch ?? 0, 12);
  bytes.writeInt8(batch.magic ?? 2, 16);
  bytes.writeInt16BE(flags, 21);
  bytes.writeInt32BE(lastOffset - baseOffset, 23);
  bytes.writeBigInt64BE(BigInt(baseTimestampMs), 27);
  bytes.writeBigInt64BE(BigInt(appendTimeMs ?? baseTimestampMs), 35);
  bytes.writeBigInt64BE(batch.producerId ?? -1n, 43);
  bytes.writeInt32BE(batch.count ?? records.length, 57);
  body.copy(bytes, HEAD_BYTES);
  return bytes;
}

/** The record that says how a transaction has ended: version 0, then the kind. */
function markerRecord(offset: number, marker: "abort" | "commit"): SketchedRecord {
  return { offset, key: marker === "abort" ? "\0\0\0\0" : "\0\0\0\x01", value: "" };
}

function recordBytes(
  { offset, key, value, headers = [], timestampDelta = 0n }: SketchedRecord,
  baseOffset: number,
): Buffer {
  const parts = [
    Buffer.alloc(1),
    varlong(timestampDelta),
    varint(offset - baseOffset),
    sized(key),
    sized(value),
  ];
  parts.push(varint(headers.length));
  for (const [name, content] of headers) parts.push(sized(name), sized(content ?? undefined));
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

function sized(content: string | Buffer | undefined): Buffer {
  if (content === undefined) return varint(-1);
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(bytes.length), bytes]);
}

export function varint(value: number): Buffer {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  const bytes: number[] = [];
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

export function varlong(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
