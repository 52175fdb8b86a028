import type { Clock } from "../../src/ports/clock.ts";
import { type GroupApi, GroupFault, isGroupFault, type OffsetCommit } from "./group-api.ts";
import type { Hold } from "./group-holds.ts";
import type { GroupMember } from "./group-member.ts";

export interface CommitQueueOptions {
  readonly api: GroupApi;
  readonly member: GroupMember;
  readonly clock: Clock;
  /** How long a commit may wait for a group that is being divided anew. */
  readonly timeoutMs: number;
  readonly pauseMs: number;
}

interface WaitingCommit {
  readonly hold: Hold;
  readonly epoch: number;
  readonly commit: OffsetCommit;
  readonly endMs: number;
  readonly resolve: (result: "stored" | "fenced") => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits of all partitions, one request at a time: what comes meanwhile goes together with the next. So a partition's
 * commits reach the broker in their order, and a process sends few requests however many partitions it has.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #stop = new AbortController();
  #waiting: WaitingCommit[] = [];
  #isSending = false;
  /** Brokers whose bound on metadata is lower get offsets alone. */
  #takesMetadata = true;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /** `fenced`: the partition is this member's no more. @throws GroupFault when it is unknown whether it was stored. */
  commit(hold: Hold, commit: OffsetCommit): Promise<"stored" | "fenced"> {
    const { clock, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const endMs = clock.monotonic() + timeoutMs;
      this.#waiting.push({ hold, epoch: hold.epoch, commit, endMs, resolve, reject });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  close(): void {
    this.#stop.abort();
  }

  /** Whether the commit may still be made: after a change of owner only the new one's counts. */
  #isHeld({ hold, epoch }: WaitingCommit): boolean {
    return this.#options.member.holds.get(hold.partition) === hold && hold.epoch === epoch;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      // Commits of the same turn of the event loop go together.
      await Promise.resolve();
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#send(batch);
    }
    this.#isSending = false;
  }

  /** Never rejects; ends each commit of the batch. */
  async #send(batch: readonly WaitingCommit[]): Promise<void> {
    let left = batch;
    while (left.length > 0) {
      for (const fenced of left.filter((waiting) => !this.#isHeld(waiting))) fenced.resolve("fenced");
      left = left.filter((waiting) => this.#isHeld(waiting));
      if (left.length === 0) return;
      const outcome = await this.#try(left);
      if ("absent" in outcome) {
        for (const waiting of left) endCommit(waiting, outcome.absent);
        return;
      }
      const fault = outcome;
      const now = this.#options.clock.monotonic();
      const isOver = ({ endMs }: WaitingCommit) => !fault.isPassing || endMs <= now;
      for (const { reject } of left.filter(isOver)) reject(fault.error);
      left = left.filter((waiting) => !isOver(waiting));
    }
  }

  async #try(
    left: readonly WaitingCommit[],
  ): Promise<
    { readonly absent: ReadonlySet<number> } | { readonly error: unknown; readonly isPassing: boolean }
  > {
    const { api, member, pauseMs } = this.#options;
    // Between a join and its assignment the broker takes no commits.
    if (member.isSyncing) await member.movedOn(pauseMs);
    const { identity } = member;
    const commits = left.map(({ commit }) => (this.#takesMetadata ? commit : { ...commit, metadata: null }));
    try {
      return { absent: await api.commit(identity, commits, this.#stop.signal) };
    } catch (error) {
      if (isGroupFault(error, "unknownMember")) {
        member.thrownOut(identity.memberId);
        return { error, isPassing: true };
      }
      if (isGroupFault(error, "metadataTooLarge") && this.#takesMetadata) {
        this.#takesMetadata = false;
        return { error, isPassing: true };
      }
      if (!isGroupFault(error, "rebalanceInProgress", "illegalGeneration"))
        return { error, isPassing: false };
      // A generation that has gone by without our knowledge is learnt of by joining; a present one comes to an end.
      if (member.isStable && identity === member.identity) member.joinAgain();
      await member.movedOn(pauseMs);
      return { error, isPassing: true };
    }
  }
}

/** A topic that was made anew with fewer partitions holds up no other partition's progress. */
function endCommit(
  { hold: { partition }, resolve, reject }: WaitingCommit,
  absent: ReadonlySet<number>,
): void {
  if (absent.has(partition)) {
    reject(new GroupFault("unavailable", `the topic has no partition ${partition} now`));
  } else {
    resolve("stored");
  }
}
