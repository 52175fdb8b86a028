/** What the front tells of itself. Calls are cheap and never throw. */
export interface FrontTelemetry {
  /** A request of a route was answered; `route` by its name. */
  answered(route: string, status: number, durationMs: number): void;
  /** A request was not handed to a function. */
  refused(reason: FrontRefusal): void;
  /** Asked when metrics are read. */
  watch(gauges: () => FrontGauges): void;
}

/** Closed: a label. */
export const FRONT_REFUSALS = [
  "malformed",
  "headers",
  "no_route",
  "unsigned",
  "too_large",
  "slow",
  "busy",
  "throttled",
  "starting",
] as const;
export type FrontRefusal = (typeof FRONT_REFUSALS)[number];

export interface FrontGauges {
  readonly connections: number;
  /** Bodies, events that are made of them, and responses. */
  readonly bytes: number;
  readonly requests: number;
}
