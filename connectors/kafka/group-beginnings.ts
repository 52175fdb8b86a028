import type { Checkpoint } from "../../src/model/checkpoint.ts";
import type { StartPoint } from "../../src/model/record.ts";
import { type GroupApi, type GroupIdentity, isGroupFault, type OffsetCommit } from "./group-api.ts";
import { begunAtOldest, begunByPosition, checkpointOf, rangesBefore, startAt } from "./group-checkpoint.ts";

/** The offset of the oldest record, or of the first one at or after a time: the end, when there is none. */
export type OffsetLookup = (
  partition: number,
  start: Exclude<StartPoint, { readonly kind: "after" }>,
  signal: AbortSignal,
) => Promise<number>;

/**
 * Up to where the partition's log of now is the one that was read to `offset`: `offset` itself, as far as anyone knows.
 */
export type PartingLookup = (
  partition: number,
  logId: string,
  offset: number,
  signal: AbortSignal,
) => Promise<number>;

export interface GroupBeginningsOptions {
  readonly api: GroupApi;
  readonly groupId: string;
  readonly offsetOf: OffsetLookup;
  readonly partingOf?: PartingLookup;
  readonly signal: AbortSignal;
}

export interface PartitionStart {
  readonly partition: number;
  readonly start: StartPoint;
}

/** Where a group begins with each partition: at what it has committed, at a starting position, at the oldest record. */
export class GroupBeginnings {
  readonly #options: GroupBeginningsOptions;
  /** Offsets that this process committed by the starting position, by partition. */
  readonly #started = new Map<number, number>();

  constructor(options: GroupBeginningsOptions) {
    this.#options = options;
  }

  /**
   * All partitions with one request: the broker stores them together. `false`: the group has moved on, and another
   * member is to do it.
   */
  async commit(identity: GroupIdentity, starts: readonly PartitionStart[]): Promise<boolean> {
    const { api, signal } = this.#options;
    const commits = await Promise.all(
      starts.map(async ({ partition, start }) => {
        const offset = await this.#startOffset(partition, start);
        return { partition, offset, leaderEpoch: -1, metadata: "" };
      }),
    );
    try {
      await api.commit(identity, commits, signal);
      for (const { partition, offset } of commits) this.#started.set(partition, offset);
      return true;
    } catch (error) {
      // The partition may be another's, who may have committed already.
      if (isGroupFault(error, "rebalanceInProgress", "illegalGeneration", "unknownMember")) return false;
      throw error;
    }
  }

  async #startOffset(partition: number, start: StartPoint): Promise<number> {
    if (start.kind === "after") return Number(start.position) + 1;
    return await this.#options.offsetOf(partition, start, this.#options.signal);
  }

  /** Where to go on with a partition, by what its group has committed of it. */
  async find(partition: number, commit: OffsetCommit | undefined) {
    const { groupId } = this.#options;
    if (commit === undefined) {
      const offset = await this.#startOffset(partition, { kind: "oldest" });
      return { checkpoint: startAt(offset), begun: begunAtOldest(groupId, offset) };
    }
    const { offset } = commit;
    const begun = this.#started.get(partition) === offset ? begunByPosition(groupId, offset) : undefined;
    return { checkpoint: await this.#checkpointOf(commit), begun };
  }

  /** What was settled ahead in a log that has lost its end since hides no record of what was written in its place. */
  async #checkpointOf(commit: OffsetCommit): Promise<Checkpoint> {
    const checkpoint = checkpointOf(commit);
    const { logId, settledRanges } = checkpoint;
    const { partingOf, signal } = this.#options;
    const last = settledRanges.at(-1);
    if (logId === undefined || last === undefined || partingOf === undefined) return checkpoint;
    const parting = await partingOf(commit.partition, logId, Number(last.to) + 1, signal);
    // plant: kafka-what-was-settled-ahead-of-a-lost-end-hides-what-was-written-in-its-place
    return { ...checkpoint, settledRanges: rangesBefore(settledRanges, parting) };
  }
}
