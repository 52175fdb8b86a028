/** How a function stands, over all its callers in this process. */
export interface FunctionExplanation {
  readonly name: string;
  /** Invocations at once that may run; below `concurrency` while the function refuses calls or is slow. */
  readonly limit: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly running: number;
  readonly waiting: number;
  /** This caller's. */
  readonly ownRunning: number;
  readonly ownWaiting: number;
}
