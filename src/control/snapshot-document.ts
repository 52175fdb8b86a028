import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { SNAPSHOT_BYTES_MAX } from "../ports/snapshot-store.ts";
import type { MappingSnapshot, ProcessSnapshot } from "./process-snapshot.ts";

/** What is compressed in one step, and what may come out of what another has written. */
const CHARS_MAX = 512 * 1024;
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** How much of each mapping is kept, and of how many: from all that people look at to a line each. */
const LEVELS = [
  { shards: 50, parts: 50, groups: 50, errors: 5, mappings: 1_000 },
  { shards: 12, parts: 20, groups: 12, errors: 5, mappings: 1_000 },
  { shards: 3, parts: 8, groups: 3, errors: 2, mappings: 500 },
  { shards: 0, parts: 3, groups: 0, errors: 1, mappings: 200 },
  { shards: 0, parts: 1, groups: 0, errors: 0, mappings: 40 },
] as const;
type Level = (typeof LEVELS)[number];

/** As much of a snapshot as 32 KiB hold: what is left out is the least bad, and is counted. */
export function writeSnapshot(whole: ProcessSnapshot): Uint8Array {
  for (const level of LEVELS) {
    const text = textWithin(whole, level);
    const document = text === undefined ? undefined : zstdCompressSync(text);
    if (document !== undefined && document.byteLength <= SNAPSHOT_BYTES_MAX) return document;
  }
  return zstdCompressSync(
    JSON.stringify({
      ...whole,
      mappings: [],
      mappingsLeftOut: whole.mappings.length + whole.mappingsLeftOut,
    }),
  );
}

/** `undefined`: another version wrote it, in a form that this one does not know. */
export function readSnapshot(document: Uint8Array): ProcessSnapshot | undefined {
  try {
    const text = zstdDecompressSync(document, { maxOutputLength: READ_BYTES_MAX }).toString();
    const value: unknown = JSON.parse(text);
    return isSnapshot(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSnapshot(value: unknown): value is ProcessSnapshot {
  if (typeof value !== "object" || value === null) return false;
  return "form" in value && value.form === 1 && "mappings" in value && Array.isArray(value.mappings);
}

/** `undefined`: it would be more than is compressed in one step. */
function textWithin(whole: ProcessSnapshot, level: Level): string | undefined {
  const texts: string[] = [];
  let chars = 0;
  const kept = whole.mappings.slice(0, level.mappings);
  for (const mapping of kept) {
    const text = JSON.stringify(withinLevel(mapping, level));
    chars += text.length;
    if (chars > CHARS_MAX) return undefined;
    texts.push(text);
  }
  const mappingsLeftOut = whole.mappingsLeftOut + whole.mappings.length - kept.length;
  const { mappings: _mappings, ...head } = whole;
  return `${JSON.stringify({ ...head, mappingsLeftOut }).slice(0, -1)},"mappings":[${texts.join()}]}`;
}

/** The first of each list are the worst. */
function withinLevel(mapping: MappingSnapshot, { shards, parts, groups, errors }: Level): MappingSnapshot {
  const { explanation } = mapping;
  const partsLeftOut = mapping.partsLeftOut + Math.max(0, mapping.parts.length - parts);
  const kept = {
    ...mapping,
    parts: mapping.parts.slice(0, parts),
    partsLeftOut,
    errors: { ...mapping.errors, errors: mapping.errors.errors.slice(0, errors) },
  };
  if (explanation === undefined) return kept;
  if (explanation.kind === "queue") {
    const batches = explanation.batches.slice(0, groups);
    const waitingGroups = explanation.waitingGroups.slice(0, groups);
    const failedMessages = explanation.failedMessages.slice(0, groups);
    return { ...kept, explanation: { ...explanation, batches, waitingGroups, failedMessages } };
  }
  const left = Math.max(0, explanation.shards.length - shards);
  return {
    ...kept,
    shardsLeftOut: mapping.shardsLeftOut + left,
    explanation: { ...explanation, shards: explanation.shards.slice(0, shards) },
  };
}
