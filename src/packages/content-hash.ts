import { createHash } from "node:crypto";

const SHA256 = /^[0-9a-f]{64}$/;

/** Names of packages become parts of paths and of keys. */
export function isContentHash(text: string): boolean {
  return SHA256.test(text);
}

export function contentHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
