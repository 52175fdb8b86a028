/**
 * How an execution environment stands: a process starts, waits for a call, works on one, is ended, or there is none at
 * the moment, since the last was reset; `abandoned`: something of it did not die.
 */
export type EnvironmentStanding = "starting" | "idle" | "busy" | "resetting" | "stopped" | "abandoned";

/** Why a process was ended, and its environment kept. */
export type ResetReason = "timeout" | "exit" | "initError" | "abandoned";

/** Is told what happens to the environments of one function, in this process. Cheap, and never throws. */
export interface EnvironmentWatch {
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
