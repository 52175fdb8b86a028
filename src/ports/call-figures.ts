/** Calls of one version of a function within the last minute. */
export interface CallFigures {
  readonly calls: number;
  /** Calls that failed, whoever is to blame; throttles are not among them. */
  readonly errors: number;
  readonly throttles: number;
  /** By place n: how many took from 1.2^n - 1 to 1.2^(n+1) - 1 ms. */
  readonly durations: ReadonlyMap<number, number>;
}
