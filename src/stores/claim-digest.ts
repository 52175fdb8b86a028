import { createHash } from "node:crypto";

/** Stands for a claim in keys, which are bounded. Two claims have one digest only if SHA-256 is broken. */
export function claimDigest(claim: string): string {
  return createHash("sha256").update(claim).digest("hex");
}
