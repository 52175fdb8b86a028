import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { assertInvariant, describeError, MillraceError } from "../../src/model/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type {
  HeldLease,
  LeaseSight,
  NewShard,
  ProgressStore,
  Renewal,
  ShardProgress,
} from "../../src/ports/progress-store.ts";
import type { Random } from "../../src/ports/random.ts";
import { CommitQueue } from "./commit-queue.ts";
import { KafkaFault } from "./fault.ts";
import type { GroupApi } from "./group-api.ts";
import { GroupBeginnings, type OffsetLookup, type PartingLookup } from "./group-beginnings.ts";
import { commitOf } from "./group-checkpoint.ts";
import type { Hold } from "./group-holds.ts";
import { GroupMember } from "./group-member.ts";
import { GROUP_TIMES, type GroupTimes } from "./group-times.ts";

export interface GroupProgressOptions {
  readonly api: GroupApi;
  readonly groupId: string;
  readonly topic: string;
  readonly offsetOf: OffsetLookup;
  readonly partingOf?: PartingLookup;
  readonly clock: Clock;
  readonly random: Random;
  readonly times?: GroupTimes;
}

/** How long a look waits for the group to let this process in: other members may have to be thrown out first. */
const ADMISSION_TIMEOUT_MS = 30_000;
const COMMIT_TIMEOUT_MS = 10_000;
const LOOK_AGAIN_MS = 250;
/** The member that has this partition commits the starting offsets of all: exactly one has it. */
const FIRST_PARTITION = 0;

/**
 * Leases and checkpoints of one mapping in a Kafka consumer group: the group's assignment is the lease, the generation
 * fences, the committed offset is the low-water mark and its metadata holds what is settled ahead of it. What does not
 * fit into the metadata is left out and comes again after a restart.
 *
 * The broker forgets the offsets of a group that has had no members for `offsets.retention.minutes` (7 days by
 * default).
 */
export class GroupProgress implements ProgressStore {
  readonly #options: GroupProgressOptions;
  readonly #member: GroupMember;
  readonly #commits: CommitQueue;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #beginnings: GroupBeginnings;

  constructor(options: GroupProgressOptions) {
    const { api, topic, clock, random, times = GROUP_TIMES } = options;
    this.#options = options;
    this.#beginnings = new GroupBeginnings({ ...options, signal: this.#stop.signal });
    const onChange = () => {
      for (const listener of this.#listeners) listener();
    };
    this.#member = new GroupMember({ api, topic, times, clock, random, onChange });
    this.#commits = new CommitQueue({
      api,
      member: this.#member,
      clock,
      timeoutMs: COMMIT_TIMEOUT_MS,
      pauseMs: times.pauseMs,
    });
  }

  division() {
    return this.#member.division;
  }

  get sessionMs(): number {
    return (this.#options.times ?? GROUP_TIMES).sessionTimeoutMs;
  }

  /** The partitions that are this process's to read; none before anyone has committed the group's starting offsets. */
  list(_mappingUuid: string): Promise<readonly ShardProgress[]> {
    return this.#asStoreCall(async () => {
      await this.#admitted();
      const isKnown = await this.#lookUp();
      const holds = this.#member.holds.all().filter(({ isRevoked, checkpoint }) => {
        return isKnown && !isRevoked && checkpoint !== undefined;
      });
      return holds.map((hold) => this.#rowOf(hold));
    });
  }

  /** Committed offsets win: a group that has any is left as it is (kafka §2). */
  initialise(_mappingUuid: string, shards: readonly NewShard[]): Promise<void> {
    return this.#asStoreCall(async () => {
      const { clock } = this.#options;
      const endMs = clock.monotonic() + ADMISSION_TIMEOUT_MS;
      await this.#admitted();
      const partitions = shards.map(({ shard }) => this.#partitionOf(shard.shardId));
      for (;;) {
        const { committed } = await this.#committed(partitions);
        if (committed.size > 0) return;
        if (await this.#commitStart(shards)) return;
        if (clock.monotonic() >= endMs) {
          throw new Error("the member that has the topic's first partition has not committed where to start");
        }
        await this.#member.movedOn(LOOK_AGAIN_MS);
      }
    });
  }

  /** A partition without a commit, while others have one, is new: `list` begins it at its oldest record. */
  async add(): Promise<void> {}

  acquire(
    _mappingUuid: string,
    shardId: string,
    owner: string,
    seen: LeaseSight,
  ): Promise<ShardProgress | undefined> {
    return this.#asStoreCall(async () => {
      // A process that stood still for longer than its session still believes in its last assignment.
      await this.#member.alive();
      const hold = this.#holdOf(shardId);
      const isAsSeen = hold?.epoch === seen.epoch && hold.counter === seen.counter;
      if (hold === undefined || !isAsSeen || hold.isRevoked || hold.checkpoint === undefined)
        return undefined;
      this.#member.holds.take(hold, owner, this.#member.identity.generation);
      return this.#rowOf(hold);
    });
  }

  renew(_mappingUuid: string, lease: HeldLease): Promise<Renewal> {
    return this.#asStoreCall(async () => {
      if (this.#heldBy(lease) === undefined) return { kind: "fenced" };
      await this.#member.alive();
      const hold = this.#heldBy(lease);
      if (hold === undefined) return { kind: "fenced" };
      hold.counter++;
      return {
        kind: "renewed",
        handoverTo: hold.isRevoked ? `the group ${this.#options.groupId}` : undefined,
      };
    });
  }

  checkpoint(
    _mappingUuid: string,
    lease: HeldLease,
    checkpoint: Checkpoint,
  ): Promise<"stored" | "stale" | "fenced"> {
    return this.#asStoreCall(async () => {
      const hold = this.#heldBy(lease);
      if (hold === undefined) return "fenced";
      if (checkpoint.revision <= hold.revision) return "stale";
      const result = await this.#commits.commit(hold, commitOf(hold.partition, checkpoint));
      if (result === "stored") {
        hold.revision = checkpoint.revision;
        hold.checkpoint = checkpoint;
        hold.begun = undefined;
      }
      return result;
    });
  }

  async release(_mappingUuid: string, lease: HeldLease): Promise<"released" | "fenced"> {
    const hold = this.#heldBy(lease);
    if (hold === undefined) return "fenced";
    this.#member.giveBack(hold);
    return "released";
  }

  /** The group's leader divides the partitions, nobody else. */
  async requestHandover(): Promise<void> {}

  /** The broker forgets a group by itself; another mapping, or another program, may be using it. */
  async remove(): Promise<void> {}

  onChange(_mappingUuid: string, listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Leaves the group. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#commits.close();
    await this.#member.close();
  }

  async #admitted(): Promise<void> {
    this.#member.start();
    if (this.#member.holds.partitions.length === 0) await this.#member.stable(ADMISSION_TIMEOUT_MS);
  }

  /** Where to go on with what was given newly. `false`: the group has committed nothing yet. */
  async #lookUp(): Promise<boolean> {
    const { holds } = this.#member;
    if (holds.all().every(({ checkpoint }) => checkpoint !== undefined)) return true;
    const { topic, api } = this.#options;
    const count = (await api.partitionCounts([topic], this.#stop.signal)).get(topic) ?? 0;
    const { committed, life } = await this.#committed(Array.from({ length: count }, (_, index) => index));
    // Brokers forget the commits of a topic that is deleted: the group has begun all the same.
    const hasBegun = holds.all().some(({ checkpoint }) => checkpoint !== undefined);
    if (committed.size === 0 && !hasBegun) return false;
    for (const hold of holds.all()) {
      if (hold.checkpoint !== undefined) continue;
      const found = await this.#beginnings.find(hold.partition, committed.get(hold.partition));
      // The answer may be, for partitions that came while we asked, from before their last owner's last commit.
      if (life.has(hold) && hold.checkpoint === undefined) Object.assign(hold, found);
    }
    return true;
  }

  /** With the holds that were there before the question: what their former owners committed is in the answer. */
  async #committed(partitions: readonly number[]) {
    const life = new Set(this.#member.holds.all());
    return { committed: await this.#options.api.committed(partitions, this.#stop.signal), life };
  }

  /** `false`: another member is to do it. */
  async #commitStart(shards: readonly NewShard[]): Promise<boolean> {
    const first = this.#member.holds.get(FIRST_PARTITION);
    if (first === undefined || first.isRevoked) return false;
    const starts = shards.map(({ shard, checkpoint }) => ({
      partition: this.#partitionOf(shard.shardId),
      start: checkpoint.resume,
    }));
    return await this.#beginnings.commit(this.#member.identity, starts);
  }

  #rowOf(hold: Hold): ShardProgress {
    const { checkpoint, owner, epoch, counter, partition, begun } = hold;
    assertInvariant(checkpoint !== undefined, `partition ${partition} is shown before it was looked up`);
    const shardId = `${this.#options.topic}-${partition}`;
    const row = { shardId, parentShardIds: [], owner, epoch, counter, handoverTo: undefined, checkpoint };
    return begun === undefined ? row : { ...row, begun };
  }

  #heldBy(lease: HeldLease): Hold | undefined {
    const hold = this.#holdOf(lease.shardId);
    return hold?.owner === lease.owner && hold.epoch === lease.epoch ? hold : undefined;
  }

  #holdOf(shardId: string): Hold | undefined {
    return this.#member.holds.get(this.#partitionOf(shardId));
  }

  #partitionOf(shardId: string): number {
    return Number(shardId.slice(this.#options.topic.length + 1));
  }

  async #asStoreCall<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof MillraceError && error.code === "ERR_MILLRACE_INVARIANT") throw error;
      const { groupId, topic } = this.#options;
      const fault = causeOf(error);
      // That there is no such topic is not a store's fault.
      if (fault?.reason === "notFound") throw fault;
      throw new MillraceError(
        "ERR_MILLRACE_STORE_UNAVAILABLE",
        `The consumer group ${groupId} of the topic ${topic} could not be asked: ${describeError(error)}`,
        { cause: error },
      );
    }
  }
}

function causeOf(error: unknown): KafkaFault | undefined {
  if (error instanceof KafkaFault) return error;
  return error instanceof Error && error.cause instanceof KafkaFault ? error.cause : undefined;
}
