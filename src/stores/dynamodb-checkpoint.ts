import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Checkpoint } from "../model/checkpoint.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint-json.ts";

/** A checkpoint as items can hold it: as text while that is short, else compressed, else in items of its own. */
export interface PackedCheckpoint {
  /** Text, compressed bytes, or the number of parts. */
  readonly attribute: AttributeValue;
  readonly parts: readonly Uint8Array[];
}

/** A write costs by the KB of its item; a text up to this size can be read in the console. */
const TEXT_CHARS_MAX = 4_096;
/** An item holds 400 KB (DynamoDB's quotas), keys and names included. */
const ITEM_BYTES_MAX = 350_000;
/** A transaction holds 4 MB (DynamoDB's quotas). Ten thousand ranges and a window's largest state stay far below. */
const PARTS_MAX = 10;
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** `undefined` when it is too large for a transaction. */
export async function packCheckpoint(checkpoint: Checkpoint): Promise<PackedCheckpoint | undefined> {
  const text = writeCheckpoint(checkpoint);
  if (text.length <= TEXT_CHARS_MAX) return { attribute: { S: text }, parts: [] };
  const bytes = await compress(text);
  if (bytes.length <= ITEM_BYTES_MAX) return { attribute: { B: bytes }, parts: [] };
  const count = Math.ceil(bytes.length / ITEM_BYTES_MAX);
  if (count > PARTS_MAX) return undefined;
  const parts = Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * ITEM_BYTES_MAX, (index + 1) * ITEM_BYTES_MAX),
  );
  return { attribute: { N: String(count) }, parts };
}

/** How many parts belong to a checkpoint's attribute. */
export function partsOf(attribute: AttributeValue | undefined): number {
  return attribute?.N === undefined ? 0 : Number(attribute.N);
}

/** `undefined` for what is not a whole checkpoint. `parts` in their order. */
export async function unpackCheckpoint(
  attribute: AttributeValue | undefined,
  parts: readonly Uint8Array[],
): Promise<Checkpoint | undefined> {
  if (attribute?.S !== undefined) return readCheckpoint(attribute.S);
  const text = await unpackText(attribute?.B ?? Buffer.concat(parts));
  return text === undefined ? undefined : readCheckpoint(text);
}

export async function packText(text: string): Promise<Uint8Array | undefined> {
  const bytes = await compress(text);
  return bytes.length <= ITEM_BYTES_MAX ? bytes : undefined;
}

export async function unpackText(bytes: Uint8Array): Promise<string | undefined> {
  try {
    return (await decompress(bytes, { maxOutputLength: UNPACKED_BYTES_MAX })).toString("utf8");
  } catch {
    return undefined;
  }
}
