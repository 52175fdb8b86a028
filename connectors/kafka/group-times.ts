export interface GroupTimes {
  /** A member that is silent for so long is thrown out. Never below the engine's lease duration: see `GroupMember`. */
  readonly sessionTimeoutMs: number;
  /** How long the broker waits for members to join again, and a member for its partitions to be drained. */
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** How often the leader looks whether the topic has more partitions, or fewer. */
  readonly growthIntervalMs: number;
  /** First pause after a failed call; doubles up to the longest. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
}

export const GROUP_TIMES: GroupTimes = {
  sessionTimeoutMs: 15_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatIntervalMs: 2_000,
  growthIntervalMs: 10_000,
  pauseMs: 100,
  pauseMsMax: 5_000,
};
