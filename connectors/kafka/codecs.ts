import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { decompressLz4 } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

/** The number in a record batch's attributes. */
const CODEC_NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

/** `undefined`: none that we know. */
export function codecName(number: number): CodecName | undefined {
  return CODEC_NAMES[number];
}

/** Undoes the compression of a batch. @throws RangeError or a zlib error: corrupt, or more than `bytesMax` bytes. */
export function decompress(codec: CodecName, bytes: Buffer, bytesMax: number): Buffer {
  switch (codec) {
    case "none":
      return bytes;
    case "gzip":
      return gunzipSync(bytes, { maxOutputLength: bytesMax });
    case "snappy":
      return decompressSnappy(bytes, bytesMax);
    case "lz4":
      return decompressLz4(bytes, bytesMax);
    case "zstd":
      return zstdDecompressSync(bytes, { maxOutputLength: bytesMax });
  }
}
