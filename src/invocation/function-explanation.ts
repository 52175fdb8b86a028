import type { ShutReason } from "../ports/invoker.ts";
import type { SharedLimitStanding } from "./limited-calls.ts";

/** How a function stands, over all its callers in this process. */
export interface FunctionExplanation {
  readonly name: string;
  /** Invocations at once that may run; below `concurrency` while the function refuses calls or is slow. */
  readonly limit: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly running: number;
  readonly waiting: number;
  /** The part of concurrency that the processes of a store share; absent: each process has its own. */
  readonly share?: SharedLimitStanding;
  /** Functions that reserve nothing share those places: as many run as may. Absent: that does not hold this one up. */
  readonly account?: { readonly limit: number; readonly running: number };
  /** Why no call of this caller can start, under the name by which it calls; absent: one can. */
  readonly shut?: ShutReason;
  /** This caller's. */
  readonly ownRunning: number;
  readonly ownWaiting: number;
}
