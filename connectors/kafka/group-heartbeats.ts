import { Wakening } from "../../src/lib/wakening.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type GroupApi, GroupFault, type GroupIdentity, isGroupFault } from "./group-api.ts";
import type { GroupTimes } from "./group-times.ts";

/** Whose heartbeats they are. */
export interface BeatingMember {
  readonly identity: GroupIdentity;
  readonly isStable: boolean;
  readonly unstableSinceMs: number | undefined;
  joinAgain(): void;
  thrownOut(memberId: string): void;
  movedOn(timeoutMs: number): Promise<void>;
}

export interface HeartbeatsOptions {
  readonly api: GroupApi;
  readonly times: GroupTimes;
  readonly clock: Clock;
  readonly member: BeatingMember;
  readonly stop: AbortSignal;
}

/** Keeps a member's session alive, also while it waits to join again, and tells it what the broker says of it. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  #present: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** Until stopped; never rejects. */
  async run(): Promise<void> {
    const { clock, times, member, stop } = this.#options;
    while (!stop.aborted) {
      const wakening = new Wakening();
      const wake = () => wakening.wake();
      stop.addEventListener("abort", wake, { once: true });
      await wakening.sleep(clock, times.heartbeatIntervalMs);
      stop.removeEventListener("abort", wake);
      if (member.identity.generation >= 0 && !stop.aborted) await this.alive().catch(() => undefined);
    }
  }

  /**
   * Resolves after the broker has answered a heartbeat that was sent after this call, whether the member is still one
   * or not: the holds tell. Many questions share one heartbeat. @throws GroupFault when it did not answer.
   */
  alive(): Promise<void> {
    this.#next ??= Promise.resolve(this.#present)
      .catch(() => undefined)
      .then(() => {
        this.#present = this.#next;
        this.#next = undefined;
        return this.#send();
      });
    return this.#next;
  }

  async #send(): Promise<void> {
    const { api, clock, times, member, stop } = this.#options;
    const endMs = clock.monotonic() + times.sessionTimeoutMs / 3;
    for (;;) {
      const { identity } = member;
      if (identity.generation < 0) return;
      try {
        await api.heartbeat(identity, stop);
        return;
      } catch (error) {
        if (isGroupFault(error, "rebalanceInProgress")) {
          if (member.isStable) member.joinAgain();
          else this.#assertJoinInTime();
          return;
        }
        if (isGroupFault(error, "unknownMember")) {
          member.thrownOut(identity.memberId);
          return;
        }
        if (!isGroupFault(error, "illegalGeneration") || clock.monotonic() >= endMs) throw error;
        // The answer to a join is on its way, or was lost.
        if (member.isStable && identity === member.identity) member.joinAgain();
        await member.movedOn(times.pauseMs);
      }
    }
  }

  /**
   * The broker throws out, at once and whatever their heartbeats, those who have not joined again by the end of a
   * rebalance: a member whose joins fail must not believe in its partitions until then.
   */
  #assertJoinInTime(): void {
    const { clock, times, member } = this.#options;
    const trustMs = Math.max(0, times.rebalanceTimeoutMs - times.sessionTimeoutMs);
    if (clock.monotonic() - (member.unstableSinceMs ?? clock.monotonic()) <= trustMs) return;
    throw new GroupFault("unavailable", "the group has been waiting for its members for too long");
  }
}
