/** All times are epoch milliseconds of one host's clock. */

/** An invocation, as the function saw it. */
export interface Call {
  /** The process that made it: every start of a process is a life of its own. */
  readonly life: number;
  readonly shardId: string;
  /** When its process decided to start it, by the deadline that it sent. */
  readonly startedMs: number;
  /** When the function had answered. */
  readonly endedMs: number;
}

/**
 * What was done to a process: `kill` SIGKILL, `stop` SIGTERM, `pause` SIGSTOP until `untilMs`, `cut` off from the store
 * until then. `atMs` is read when it has taken effect.
 */
export interface Disturbance {
  readonly kind: "kill" | "stop" | "pause" | "cut";
  readonly life: number;
  readonly atMs: number;
  readonly untilMs?: number;
}

/** A time in which a process ran undisturbed, and so watched the leases of the others. */
export interface Watch {
  readonly life: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What the store noted, per shard in the order of its changes: from `atMs` on the shard is this life's, in this epoch,
 * and the checkpoint is this one. `life` is `undefined` once the shard was given back.
 */
export interface LeaseChange {
  readonly shardId: string;
  readonly epoch: number;
  readonly life: number | undefined;
  readonly atMs: number;
  /** The lease was taken, renewed or given back; `false`: only a checkpoint was written, which renews nothing. */
  readonly isSignOfLife: boolean;
  /** Whether that checkpoint has settled a position. */
  readonly isSettled: (position: string) => boolean;
}
