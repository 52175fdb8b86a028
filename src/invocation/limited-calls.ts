/** The calls that a limit is of. */
export interface LimitedCalls {
  readonly fn: string;
  /** What this process was told last: it says so in the cell, once. */
  limit(): number;
  running(): number;
  waiting(): number;
  /** A call may start while fewer than so many run here. */
  onChange(startsBelow: number): void;
}

/** How a limit stands, as this process saw it last. */
export interface SharedLimitStanding {
  /** Over all processes. */
  readonly limit: number;
  readonly granted: number;
  /** That have or want a part. */
  readonly processes: number;
  readonly isCutOff: boolean;
}
