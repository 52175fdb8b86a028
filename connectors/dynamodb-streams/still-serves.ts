import type { Position } from "../../src/model/record.ts";
import { comparePositions, parsePosition } from "./position.ts";
import type { StreamApi } from "./stream-api.ts";

/**
 * Whether the stream still serves the record at a position: DynamoDB says "trimmed" of a place that it has given up, or
 * begins behind it. It serves records for some time beyond the 24 hours that it promises: only its answer counts.
 */
export async function servesPosition(
  api: StreamApi,
  shardId: string,
  position: Position,
  signal: AbortSignal,
): Promise<boolean> {
  const sequenceNumber = parsePosition(position);
  if (typeof sequenceNumber !== "string") return true;
  const answer = await api.openIterator(shardId, { kind: "at", sequenceNumber }, signal);
  if (answer.kind === "trimmed") return false;
  const page = await api.getRecords(shardId, answer.iterator, 1, signal);
  if (page.kind !== "records") return page.kind !== "trimmed";
  const first = page.records[0]?.dynamodb?.SequenceNumber;
  // An empty page says nothing, but of a closed shard that it is the last.
  if (first === undefined) return page.next !== undefined;
  return comparePositions(first, sequenceNumber) <= 0;
}
