import { type Checkpoint, initialCheckpoint, type SettledRange } from "../../src/model/checkpoint.ts";
import { assertInvariant } from "../../src/model/errors.ts";
import { decodeCommitMetadata, encodeCommitMetadata } from "./commit-metadata.ts";
import type { OffsetCommit } from "./group-api.ts";
import { epochBefore, formatLogId, parseLogId } from "./log-identity.ts";

/** A checkpoint as the group's coordinator keeps it. */
export function commitOf(partition: number, checkpoint: Checkpoint): OffsetCommit {
  const { resume, ended, window, revision, settledRanges, logId } = checkpoint;
  assertInvariant(
    resume.kind === "after" && !ended && window === undefined,
    "a Kafka partition neither ends nor has windows, and its progress is a position",
  );
  const offset = Number(resume.position) + 1;
  const { epochs } = parseLogId(logId);
  // plant: kafka-the-log-of-a-checkpoint-is-forgotten-with-its-process
  const metadata = encodeCommitMetadata(offset, { revision, settledRanges, logId });
  return { partition, offset, leaderEpoch: epochBefore(epochs, offset), metadata };
}

export function checkpointOf({ offset, leaderEpoch, metadata }: OffsetCommit): Checkpoint {
  const notes = decodeCommitMetadata(offset, metadata);
  // Other clients commit the epoch alone.
  const epochs = leaderEpoch >= 0 && offset > 0 ? [{ epoch: leaderEpoch, from: offset - 1 }] : [];
  const logId = notes?.logId ?? formatLogId({ topicId: undefined, epochs });
  const { revision = 0, settledRanges = [] } = notes ?? {};
  const checkpoint = { ...startAt(offset), revision, settledRanges };
  return logId === undefined ? checkpoint : { ...checkpoint, logId };
}

/** `-1` is the position in front of the first record. */
export function startAt(offset: number): Checkpoint {
  return initialCheckpoint({ kind: "after", position: String(offset - 1) });
}

/** What of the ranges stands before an offset. */
export function rangesBefore(ranges: readonly SettledRange[], offset: number): readonly SettledRange[] {
  return ranges
    .filter(({ from }) => Number(from) < offset)
    .map(({ from, to }) => ({ from, to: String(Math.min(Number(to), offset - 1)) }));
}

/**
 * Nothing was committed by anyone: the starting position applies. It may be a surprise, after a week without members.
 */
export function begunByPosition(groupId: string, offset: number): string {
  return (
    `The consumer group ${groupId} had committed nothing of this topic: the mapping's starting position applies, here offset ` +
    `${offset}. If that is a surprise: brokers forget a group without members after offsets.retention.minutes (7 days by ` +
    "default), and the offsets of a topic that is deleted."
  );
}

/** Others have a commit: the partition is new, or its commit was deleted. */
export function begunAtOldest(groupId: string, offset: number): string {
  return (
    `The consumer group ${groupId} has committed nothing of this partition, but of others: it is new, or its offset was ` +
    `deleted. It is read from its oldest record on, offset ${offset}.`
  );
}
