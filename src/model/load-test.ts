/** How a load test goes, as it tells a process whose page shows it. Rates are a second's; times are milliseconds. */
export interface LoadTestProgress {
  readonly name: string;
  readonly state: LoadTestState;
  readonly elapsedMs: number;
  /** How long it sends. */
  readonly totalMs: number;
  readonly sentPerSecond: number;
  readonly deliveredPerSecond: number;
  /** Records that were made and are not settled. */
  readonly lag: number;
  readonly inFlight: number;
  /** Since the test began. */
  readonly failures: number;
  readonly violations: number;
  readonly p99Ms: number;
}

export type LoadTestState = "running" | "passed" | "failed";

export const LOAD_TEST_STATES: readonly LoadTestState[] = ["running", "passed", "failed"];

/** Members that are numbers, none below 0. */
export const LOAD_TEST_FIGURES = [
  "elapsedMs",
  "totalMs",
  "sentPerSecond",
  "deliveredPerSecond",
  "lag",
  "inFlight",
  "failures",
  "violations",
  "p99Ms",
] as const satisfies readonly (keyof LoadTestProgress)[];

export const LOAD_TESTS_PATH = "/millrace/v1/load-tests";
