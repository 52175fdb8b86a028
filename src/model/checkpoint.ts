import type { Position, StartPoint } from "./record.ts";

/** Records from `from` to `to`, both included, settled ahead of the low-water mark. */
export interface SettledRange {
  readonly from: Position;
  readonly to: Position;
}

/** State of the tumbling window that was open at the checkpoint. */
export interface WindowCheckpoint {
  readonly startMs: number;
  /** Absent in checkpoints of before it was kept: the mapping's own length then. */
  readonly lengthMs?: number | undefined;
  readonly stateJson: string;
  /** The newest record of it that is over: in the state, or given up. Absent: none yet, or not known. */
  readonly lastPosition?: Position | undefined;
  /** How often a state that was too large has ended the window early. Absent: never. */
  readonly earlyEnds?: number | undefined;
  /** How long its last invocation had been tried without success. Absent: not at all. */
  readonly triedForMs?: number | undefined;
}

/**
 * The durable progress of one shard: all up to the low-water mark is settled, and so is all inside `settledRanges`.
 * A reader resumes behind the mark and skips the ranges, so that only what was in flight is repeated.
 */
export interface Checkpoint {
  /** Rises with every checkpoint that an epoch writes; a write that arrives late is ignored by it. */
  readonly revision: number;
  /** Where to resume: behind the low-water mark, or where the shard began when nothing is settled yet. */
  readonly resume: StartPoint;
  /** In shard order and disjoint. All end behind `resume`; the first may begin at it. */
  readonly settledRanges: readonly SettledRange[];
  /** The shard is closed and every record of it is settled: its children may start. */
  readonly ended: boolean;
  readonly window: WindowCheckpoint | undefined;
  /**
   * Identity of the log that all positions above belong to (`ShardRead.logId`): an id of the log, a stream's creation.
   * A stream that is made anew under its name is another log, and its positions mean something else. Absent: not known.
   */
  readonly logId?: string | undefined;
}

export function initialCheckpoint(resume: StartPoint, ended = false): Checkpoint {
  return { revision: 0, resume, settledRanges: [], ended, window: undefined };
}
