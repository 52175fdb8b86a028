import { inflateSync } from "node:zlib";

/** What a producer's serializer writes before the data, so that readers find the schema. */
export interface SchemaFrame {
  /** Confluent: decimal; Glue: a UUID. */
  readonly schemaId: string;
  /** Behind the frame. Of Protobuf it begins with which message it is. */
  readonly data: Buffer;
}

export type RegistryKind = "confluent" | "glue";

/** Magic byte and id. */
const CONFLUENT_BYTES = 5;
/** Version, compression, UUID. */
const GLUE_BYTES = 18;
const GLUE_VERSION = 3;
const GLUE_PLAIN = 0;
const GLUE_ZLIB = 5;
/** No event holds more: what an attacker packs beyond it is refused while it is unpacked. */
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024;

/** Why bytes are no data of a schema; ends a sentence. Never content of the record. */
export class SchemaProblem extends Error {}

/** @throws SchemaProblem */
export function readFrame(kind: RegistryKind, bytes: Buffer): SchemaFrame {
  return kind === "confluent" ? confluentFrame(bytes) : glueFrame(bytes);
}

function confluentFrame(bytes: Buffer): SchemaFrame {
  if (bytes.length < CONFLUENT_BYTES || bytes[0] !== 0)
    throw new SchemaProblem("it does not begin with the id of a schema (magic byte 0, four bytes)");
  return { schemaId: String(bytes.readUInt32BE(1)), data: bytes.subarray(CONFLUENT_BYTES) };
}

function glueFrame(bytes: Buffer): SchemaFrame {
  const compression = bytes[1];
  if (bytes.length < GLUE_BYTES || bytes[0] !== GLUE_VERSION)
    throw new SchemaProblem(
      "it does not begin with the id of a schema version of AWS Glue (header version 3)",
    );
  if (compression !== GLUE_PLAIN && compression !== GLUE_ZLIB)
    throw new SchemaProblem(`its compression ${compression} is none of AWS Glue's`);
  const hex = bytes.toString("hex", 2, GLUE_BYTES);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  const rest = bytes.subarray(GLUE_BYTES);
  return { schemaId: parts.join("-"), data: compression === GLUE_ZLIB ? unpacked(rest) : rest };
}

function unpacked(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch {
    throw new SchemaProblem(`its zlib data cannot be unpacked, or not into ${UNPACKED_BYTES_MAX} bytes`);
  }
}
