/** One partition's part of an answer to Fetch. */
export interface SketchedPartition {
  readonly partition: number;
  readonly errorCode?: number;
  readonly lastStableOffset?: number;
  /** Default: the last stable offset. */
  readonly highWatermark?: number;
  readonly records?: Buffer;
}

/** An answer to Fetch, version 11, of one topic. */
export function fetchResponseBytes(partitions: readonly SketchedPartition[], throttleMs = 0): Buffer {
  const parts = [int32(throttleMs), int16(0), int32(0), int32(1), int16(1), Buffer.from("t")];
  parts.push(int32(partitions.length));
  for (const part of partitions) {
    const { partition, errorCode = 0, lastStableOffset = 0, records = Buffer.alloc(0) } = part;
    parts.push(
      int32(partition),
      int16(errorCode),
      int64(part.highWatermark ?? lastStableOffset),
      int64(lastStableOffset),
      int64(0),
    );
    // No aborted transactions, no preferred replica.
    parts.push(int32(0), int32(-1), int32(records.length), records);
  }
  return Buffer.concat(parts);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
