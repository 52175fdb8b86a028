import { Wakening } from "../../src/lib/wakening.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import type { Random } from "../../src/ports/random.ts";
import { decodeAssignment, encodeSubscription } from "./consumer-protocol.ts";
import { type GroupApi, GroupFault, type GroupIdentity } from "./group-api.ts";
import { Heartbeats } from "./group-heartbeats.ts";
import { GroupHolds, type Hold } from "./group-holds.ts";
import { assertSameLife, assignmentsOf, countPartitions, isCauseKnown } from "./group-join.ts";
import type { GroupTimes } from "./group-times.ts";

export interface GroupMemberOptions {
  readonly api: GroupApi;
  readonly topic: string;
  readonly times: GroupTimes;
  readonly clock: Clock;
  readonly random: Random;
  /** Partitions were given, are to be given back, or are lost. */
  onChange(): void;
}

/**
 * The protocol whose rules we keep (KIP-429): whoever joins goes on with what it has, and other clients that know the
 * protocol may be members beside us.
 */
const PROTOCOL_NAME = "cooperative-sticky";
const LEAVE_TIMEOUT_MS = 3_000;
const SLEEP_MS_MAX = 60_000;
const NO_MEMBER: GroupIdentity = { memberId: "", generation: -1 };

/**
 * One process's membership in a consumer group. It joins, keeps itself alive, and joins again whenever the group
 * changes, without letting go of what it has: a partition that is to move is marked as revoked, and once it was given
 * back the member joins again so that another can have it. Thrown out, it has lost all at once.
 *
 * The broker gives a partition away no sooner than one session time-out after the member's last heartbeat. The engine
 * starts nothing once its lease duration has passed since the last renewal, which is such a heartbeat; hence that
 * duration must not be longer.
 */
export class GroupMember {
  readonly holds = new GroupHolds();
  readonly #options: GroupMemberOptions;
  readonly #stop = new AbortController();
  readonly #rejoin = new Wakening();
  readonly #moved = new Wakening();
  #identity = NO_MEMBER;
  /** Generation of the last assignment that was received: what the holds are of. */
  #assignedGeneration = NO_MEMBER.generation;
  #phase: "joining" | "syncing" | "stable" = "joining";
  /** Why the last try to join failed; for those who wait. */
  #lastFault: GroupFault | undefined;
  /** Ends with an expulsion: what was asked before it, the answer to it is not for the next one. */
  #life = new AbortController();
  readonly #heartbeats: Heartbeats;
  #loop: Promise<unknown> | undefined;
  /** Monotonic time at which the member last had to join again. */
  #unstableSinceMs = 0;
  /** … and last got an assignment. */
  #stableSinceMs = 0;
  /** Monotonic time at which revoked partitions are dropped. */
  #drainEndMs = Number.POSITIVE_INFINITY;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    const { api, times, clock } = options;
    this.#heartbeats = new Heartbeats({ api, times, clock, member: this, stop: this.#stop.signal });
  }

  start(): void {
    this.#loop ??= Promise.all([this.#keepJoined(), this.#heartbeats.run()]);
  }

  get identity(): GroupIdentity {
    return this.#identity;
  }

  /** A join was answered and its assignment was not: the broker takes no commits meanwhile. */
  get isSyncing(): boolean {
    return this.#phase === "syncing";
  }

  /** Monotonic time since which the member has had to join again; `undefined`: it has an assignment. */
  get unstableSinceMs(): number | undefined {
    return this.isStable ? undefined : this.#unstableSinceMs;
  }

  get division(): ReturnType<NonNullable<ProgressStore["division"]>> {
    if (this.isStable) return { kind: "divided", sinceMs: this.#stableSinceMs };
    return { kind: "dividing", sinceMs: this.#unstableSinceMs };
  }

  get isStable(): boolean {
    return this.#phase === "stable";
  }

  /** Resolves when the member has an assignment. @throws GroupFault when that takes longer than `timeoutMs`. */
  async stable(timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonic() + timeoutMs;
    while (!this.isStable) {
      const leftMs = endMs - clock.monotonic();
      const isTold = this.#lastFault !== undefined && isCauseKnown(this.#lastFault);
      if (isTold || leftMs <= 0 || this.#stop.signal.aborted) {
        throw this.#lastFault ?? new GroupFault("unavailable", "the group has not let this process in yet");
      }
      await this.#moved.sleep(clock, leftMs);
    }
  }

  /** Waits for the group to move on; at most `timeoutMs`. */
  async movedOn(timeoutMs: number): Promise<void> {
    await this.#moved.sleep(this.#options.clock, timeoutMs);
  }

  /** As `Heartbeats.alive`. */
  alive(): Promise<void> {
    return this.#heartbeats.alive();
  }

  /** The engine works on the partition no more. */
  giveBack(hold: Hold): void {
    const { isRevoked } = hold;
    this.holds.giveBack(hold);
    if (!isRevoked) this.#options.onChange();
    else if (!this.holds.hasRevoked) this.joinAgain();
  }

  /** The group has gone on, or is to learn what was given back. */
  joinAgain(): void {
    this.#rejoin.wake();
  }

  /** What the broker said of a member that it does not know; of an earlier life it means nothing. */
  thrownOut(memberId: string): void {
    if (memberId !== this.#identity.memberId || memberId === "") return;
    this.#life.abort();
    this.#life = new AbortController();
    this.#identity = NO_MEMBER;
    this.#assignedGeneration = NO_MEMBER.generation;
    this.holds.clear();
    this.#setPhase("joining");
    this.#options.onChange();
    this.joinAgain();
  }

  /** Leaves the group, so that others need not wait for the session to end. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#rejoin.wake();
    this.#moved.wake();
    await this.#loop;
    this.holds.clear();
    const { memberId } = this.#identity;
    if (memberId === "") return;
    try {
      await this.#options.api.leave(memberId, AbortSignal.timeout(LEAVE_TIMEOUT_MS));
    } catch {
      // The session runs out; only the others wait longer.
    }
  }

  // Joining.

  async #keepJoined(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const { signal: life } = this.#life;
      try {
        await this.#joinOnce();
        failures = 0;
        this.#lastFault = undefined;
        await this.#whileStable();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const isStep = this.#stepAfter(error) || life.aborted;
        failures = isStep ? failures : failures + 1;
        if (!isStep) await this.#rejoin.sleep(this.#options.clock, this.#pauseMs(failures));
      }
    }
  }

  /** `true`: the fault is a step of the protocol, and the next join may follow at once. */
  #stepAfter(error: unknown): boolean {
    const fault =
      error instanceof GroupFault ? error : new GroupFault("unavailable", String(error), { cause: error });
    switch (fault.code) {
      case "memberIdRequired":
        this.#identity = { memberId: fault.memberId ?? "", generation: -1 };
        return true;
      case "unknownMember":
        this.#forgetMember();
        return true;
      case "rebalanceInProgress":
        return true;
      default:
        this.#lastFault = fault;
        this.#moved.wake();
        this.#moved.reset();
        return false;
    }
  }

  #forgetMember(): void {
    this.thrownOut(this.#identity.memberId);
    this.#identity = NO_MEMBER;
  }

  async #joinOnce(): Promise<void> {
    const { api, times, topic } = this.#options;
    const life = this.#life.signal;
    const signal = AbortSignal.any([life, this.#stop.signal]);
    this.#setPhase("joining");
    this.#rejoin.reset();
    const subscription = encodeSubscription({
      topics: [topic],
      owned: new Map([[topic, this.holds.partitions]]),
      generation: this.#assignedGeneration,
    });
    const answer = await api.join(
      {
        memberId: this.#identity.memberId,
        sessionTimeoutMs: times.sessionTimeoutMs,
        rebalanceTimeoutMs: times.rebalanceTimeoutMs,
        protocolName: PROTOCOL_NAME,
        subscription,
      },
      signal,
    );
    assertSameLife(life);
    const { memberId, generation } = answer;
    this.#identity = { memberId, generation };
    this.#setPhase("syncing");
    const isLeader = answer.leaderId === memberId;
    const counts = isLeader ? await countPartitions(api, topic, answer, this.#stop.signal) : undefined;
    const assignments = counts === undefined ? new Map<string, Buffer>() : assignmentsOf(answer, counts);
    const assignment = await api.sync(this.#identity, assignments, signal);
    assertSameLife(life);
    this.#assign(new Set(decodeAssignment(assignment).get(topic) ?? []));
    if (counts !== undefined) void this.#watchCounts(generation, counts);
  }

  #assign(assigned: ReadonlySet<number>): void {
    const { clock, times } = this.#options;
    this.#assignedGeneration = this.#identity.generation;
    const hasGivenBack = this.holds.assign(assigned);
    this.#drainEndMs = this.holds.hasRevoked
      ? clock.monotonic() + times.rebalanceTimeoutMs
      : Number.POSITIVE_INFINITY;
    this.#setPhase("stable");
    this.#options.onChange();
    if (hasGivenBack && !this.holds.hasRevoked) this.joinAgain();
  }

  /** Ends when the member is to join again. */
  async #whileStable(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const leftMs = Math.min(this.#drainEndMs - clock.monotonic(), SLEEP_MS_MAX);
      if (await this.#rejoin.sleep(clock, Math.max(0, leftMs))) return;
      if (clock.monotonic() < this.#drainEndMs) continue;
      this.#drainEndMs = Number.POSITIVE_INFINITY;
      if (!this.holds.dropRevoked()) continue;
      this.#options.onChange();
      return;
    }
  }

  /**
   * A topic that has grown, or was made anew with fewer partitions, is divided anew; only the leader looks, and only
   * while it is one. One that is not there keeps its members as they are: it may come back.
   */
  async #watchCounts(generation: number, counts: ReadonlyMap<string, number>): Promise<void> {
    const { api, clock, times } = this.#options;
    while (this.isStable && this.#identity.generation === generation && !this.#stop.signal.aborted) {
      await this.#moved.sleep(clock, times.growthIntervalMs);
      if (!this.isStable || this.#identity.generation !== generation) return;
      try {
        const now = await api.partitionCounts([...counts.keys()], this.#stop.signal);
        // plant: kafka-a-topic-with-fewer-partitions-is-not-shared-out-anew
        if ([...now].some(([topic, count]) => count !== (counts.get(topic) ?? 0))) this.joinAgain();
      } catch {
        // The next look is soon.
      }
    }
  }

  #setPhase(phase: "joining" | "syncing" | "stable"): void {
    if (this.isStable) this.#unstableSinceMs = this.#options.clock.monotonic();
    else if (phase === "stable") this.#stableSinceMs = this.#options.clock.monotonic();
    this.#phase = phase;
    this.#moved.wake();
    this.#moved.reset();
  }

  #pauseMs(failures: number): number {
    const { times, random } = this.#options;
    return Math.min(times.pauseMsMax, times.pauseMs * 2 ** (failures - 1)) * (0.5 + random.next() / 2);
  }
}
