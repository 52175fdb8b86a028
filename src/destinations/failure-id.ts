import { createHash } from "node:crypto";
import type { Envelope } from "../model/envelope.ts";

/**
 * Name of the message attribute (SQS, SNS) and of the object metadata (S3) that hold an envelope's `id`. AWS sends
 * none; its documents stay as they are. Consumers that must not act twice tell repeats by it.
 */
export const FAILURE_ID_NAME = "millrace-failure-id";

/**
 * An envelope's `id` as a header may hold it: `decodeURI` gives it back. Ids that the engine makes stay as they are.
 */
export function failureIdText({ id }: Envelope): string {
  return encodeURI(id.toWellFormed());
}

/** Never changes: objects would be written twice. */
const NAMESPACE = Buffer.from("5f0e7a9c3b1d4e6fa2c48d7b9e1f6035", "hex");

/** Version 5 of an envelope's `id`: where AWS has a random UUID, so that a repeat has the same. */
export function failureUuid({ id }: Envelope): string {
  const bytes = createHash("sha1").update(NAMESPACE).update(id).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
