/**
 * How an execution environment stands: a process starts, waits for a call, works on one, is ended, or there is none at
 * the moment, since the last was reset; `abandoned`: something of it did not die.
 */
export const ENVIRONMENT_STANDINGS = [
  "starting",
  "idle",
  "busy",
  "resetting",
  "stopped",
  "abandoned",
] as const;
export type EnvironmentStanding = (typeof ENVIRONMENT_STANDINGS)[number];

/** Why a process was ended, and its environment kept. */
export const RESET_REASONS = ["timeout", "exit", "initError", "abandoned"] as const;
export type ResetReason = (typeof RESET_REASONS)[number];

/** What separates the environments of an open version from all others, and what bounds their folder, by name. */
export interface Separation {
  /** `group`, `cgroup v1`, `cgroup v2`, `wrapper PROGRAM`, or `thread`: nothing does. */
  readonly isolation: string;
  /** Looked at each second, bounded by the operator's wrapper, or not bounded. */
  readonly storage: "watched" | "hard" | "unbounded";
}

/** Is told what happens to the environments of one function, in this process. Cheap, and never throws. */
export interface EnvironmentWatch {
  /** A version is open whose environments are separated so, and is no longer: told the same object. */
  opened(separation: Separation): void;
  closed(separation: Separation): void;
  /** `undefined`: it is made, or gone. */
  moved(from: EnvironmentStanding | undefined, to: EnvironmentStanding | undefined): void;
  /** A process has come to its first event: a cold start. */
  started(initMs: number): void;
  /** A process never came to its first event. */
  startFailed(errorType: string): void;
  reset(reason: ResetReason): void;
  /** What all processes of one environment held for themselves. */
  memory(megabytes: number): void;
}

/** Each kind once, in the order of names. */
export function eachOnce(separations: readonly Separation[]): readonly Separation[] {
  const byName = new Map(separations.map((each) => [`${each.isolation} ${each.storage}`, each]));
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** What a watch was told of a function, so far. */
export interface EnvironmentFigures {
  readonly fn: string;
  /** Each kind once, of the versions that are open; absent: a process of before that could tell it. */
  readonly separations?: readonly Separation[];
  /** Environments by how they stand. */
  readonly standings: Readonly<Record<EnvironmentStanding, number>>;
  readonly coldStarts: number;
  /** Within the last five minutes. */
  readonly coldStartsLately: number;
  readonly startFailures: number;
  readonly resets: Readonly<Record<ResetReason, number>>;
  readonly lastInitMs?: number;
  readonly memoryMaxMb?: number;
  /** The last start failed so, and none has succeeded since. */
  readonly failing?: { readonly errorType: string; readonly atMs: number };
}
