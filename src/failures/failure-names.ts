import { createHash } from "node:crypto";

const ID_CHARS = 16;

/** The id of a failure's row, of the id that it was delivered with: short enough to be typed. */
export function rowIdOf(failureId: string): string {
  return createHash("sha256").update(failureId).digest("hex").slice(0, ID_CHARS);
}

/** Stands for a key where its text does not belong: keys may be long, binary, or somebody's name. */
export function keyHashOf(key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  return createHash("sha256").update(key).digest().subarray(0, 16).toString("base64url");
}
