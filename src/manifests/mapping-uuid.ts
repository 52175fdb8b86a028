import { createHash } from "node:crypto";

/** Never changes: checkpoints are found by the UUIDs that are made from it. */
const NAMESPACE = Buffer.from("0a6d2c1f5b7e4f0c9d3e8a1b2c3d4e5f", "hex");

/** The UUID of a mapping whose manifest gives none: version 5, so the same name always has the same one. */
export function mappingUuid(name: string): string {
  const bytes = createHash("sha1").update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
