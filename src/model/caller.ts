export type CallerKind = "mapping" | "api" | "front" | "redrive" | "async" | "hook";

/** Who calls a function. All callers of a function share its concurrency evenly. */
export interface Caller {
  readonly kind: CallerKind;
  /** Tells callers apart: the name of a mapping. */
  readonly key: string;
  /** Whose records a redrive hands over, by its name: the `mapping` label of metrics. */
  readonly mapping?: string;
  /** A stream's mapping names it, for logs. */
  readonly shardId?: string;
}

/** All that call by Lambda's Invoke are one. No mapping has a name with brackets. */
export const API_CALLER: Caller = { kind: "api", key: "(Invoke)" };

/** Asynchronous events, of all functions and of all who put them. */
export const ASYNC_CALLER: Caller = { kind: "async", key: "(events)" };
