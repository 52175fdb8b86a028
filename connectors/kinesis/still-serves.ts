import type { Position } from "../../src/model/record.ts";
import { isFault, type KinesisApi, type ShardPlace } from "./kinesis-api.ts";
import { comparePositions, parsePosition } from "./position.ts";
import type { QuotaTurn } from "./shard-quota.ts";

/** Empty pages in a row that are waited out: a shard may have stretches without records. */
const PAGES_MAX = 3;

/**
 * Whether the stream still serves the record at a position. The service gives no error at a place that it has trimmed:
 * it begins with its oldest record, which then lies behind that place. It serves records beyond the retention that it
 * states, and the retention may have been changed: only what it serves counts.
 */
export async function servesPosition(
  api: KinesisApi,
  shardId: string,
  position: Position,
  turn: QuotaTurn,
  signal: AbortSignal,
): Promise<boolean> {
  const { sequenceNumber } = parsePosition(position);
  let iterator = await openIterator(api, shardId, { kind: "at", sequenceNumber }, signal);
  let isAtTip = false;
  for (let pages = 0; iterator !== undefined && pages < PAGES_MAX; pages++) {
    turn.use();
    const page = await api.records(iterator, 1, signal);
    const first = page.records[0];
    if (first !== undefined) return comparePositions(first.sequenceNumber, sequenceNumber) <= 0;
    iterator = page.nextIterator;
    isAtTip = page.lagMs === 0;
  }
  // Nothing from that place to the tip, or to the end of a closed shard. Further from the tip nobody knows.
  return iterator !== undefined && !isAtTip;
}

/** `undefined`: the place is refused. */
async function openIterator(api: KinesisApi, shardId: string, place: ShardPlace, signal: AbortSignal) {
  try {
    return await api.shardIterator(shardId, place, signal);
  } catch (error) {
    if (isFault(error, "invalidArgument")) return undefined;
    throw error;
  }
}
