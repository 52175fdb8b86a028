import { MillraceError } from "../../src/model/errors.ts";
import type { StartPoint } from "../../src/model/record.ts";
import { formatLatestPoint } from "./position.ts";
import type { ShardListing } from "./shard-listing.ts";
import type { StreamApi } from "./stream-api.ts";

export interface LatestPointOptions {
  readonly api: StreamApi;
  readonly listing: ShardListing;
  readonly shardId: string;
}

const PAGE_RECORDS_MAX = 1_000;

/**
 * A durable point just behind the newest record of a shard. The API has no word for it, so it is, in this order:
 *
 * 1. of a closed shard its last sequence number: exact, for ever;
 * 2. of an open shard in which records arrive during the capture, the last of these: exact, for ever;
 * 3. of an open shard that is quiet, the iterator that a read from LATEST left behind, and the service's time. Exact as
 *    long as the iterator lives, which is 15 minutes, in any process; once a record behind it is settled, it is needed
 *    no more. If it dies before (the function failed all that time, or the process was down), reading goes on with the
 *    first record that arrived no earlier than 65 seconds before the capture: nothing is lost, and at most the records
 *    of those seconds come in addition.
 */
export async function captureLatestPoint(
  options: LatestPointOptions,
  signal: AbortSignal,
): Promise<StartPoint> {
  const { api, listing, shardId } = options;
  const ending = listing.lastSeen(shardId)?.endingSequenceNumber;
  if (ending !== undefined) return { kind: "after", position: ending };
  const capturedMs = api.now();
  const answer = await api.openIterator(shardId, { kind: "latest" }, signal);
  const page =
    answer.kind === "iterator"
      ? await api.getRecords(shardId, answer.iterator, PAGE_RECORDS_MAX, signal)
      : answer;
  if (page.kind !== "records") throw captureFailed(shardId, page.kind);
  const last = page.records.at(-1)?.dynamodb?.SequenceNumber;
  if (last !== undefined) return { kind: "after", position: last };
  if (page.next === undefined) return endOfClosed(options, signal);
  const shardStart = listing.lastSeen(shardId)?.startingSequenceNumber;
  const position = formatLatestPoint(shardStart, { capturedMs, iterator: page.next });
  return { kind: "after", position };
}

/** The shard was closed since the last listing. */
async function endOfClosed(
  { listing, shardId }: LatestPointOptions,
  signal: AbortSignal,
): Promise<StartPoint> {
  await listing.list(signal);
  const ending = listing.lastSeen(shardId)?.endingSequenceNumber;
  if (ending === undefined)
    throw captureFailed(shardId, "closed, but DescribeStream does not know its end yet");
  return { kind: "after", position: ending };
}

function captureFailed(shardId: string, reason: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_SOURCE_UNAVAILABLE",
    `The latest point of shard ${shardId} could not be told: it is ${reason}. It is tried again.`,
  );
}
