import type { Lane, PollLane } from "./cluster.ts";

/**
 * Partitions of a long poll, and long polls of a broker: a record wakes the poll that its partition is in, and costs
 * the broker and us a look at all of that. Beyond both, polls grow.
 */
export const POLL_PARTITIONS = 125;
const POLLS_MAX = 8;

/** A broker answers the requests of a connection in their order: each poll has its own. */
const LANES = Array.from(
  { length: POLLS_MAX },
  (_, index): PollLane => (index === 0 ? "poll" : `poll-${index}`),
);

interface Poll {
  readonly partitions: number;
  readonly isLong: boolean;
}

export interface PollPlan {
  /** Those that are to begin. */
  readonly lanes: readonly PollLane[];
  /** What each takes: together they have room for all that wait. */
  readonly partitionsMax: number;
  /** What is read ahead by all polls of a broker is as much as one would read. */
  readonly bytesShare: number;
}

/** The polls of one broker: one, where partitions are few. */
export class PollLanes {
  readonly #running = new Map<Lane, Poll>();

  /** `atTip`: partitions that wait for a poll. */
  plan(atTip: number): PollPlan {
    const polled = [...this.#running.values()].reduce((sum, { partitions }) => sum + partitions, 0);
    const polls = Math.min(POLLS_MAX, Math.max(1, Math.ceil((atTip + polled) / POLL_PARTITIONS)));
    const lanes = LANES.slice(0, polls).filter((lane) => !this.#running.has(lane));
    const partitionsMax = Math.max(POLL_PARTITIONS, Math.ceil(atTip / lanes.length));
    return { lanes, partitionsMax, bytesShare: 1 / polls };
  }

  begin(lane: PollLane, poll: Poll): void {
    this.#running.set(lane, poll);
  }

  end(lane: Lane): void {
    this.#running.delete(lane);
  }

  /** Whoever comes now would wait for the end of one of them. */
  get areAllLong(): boolean {
    return this.#running.size > 0 && [...this.#running.values()].every(({ isLong }) => isLong);
  }
}
