import type { FailureRow } from "../ports/failure-index.ts";

/** One failure with what its destination still has of it. */
export interface ShownFailure {
  readonly row: FailureRow;
  readonly document: Readonly<Record<string, unknown>> | undefined;
  readonly records: readonly ShownRecord[];
  /** Why there are no records; a sentence. */
  readonly remark: string | undefined;
}

export interface ShownRecord {
  readonly position: string;
  readonly key: string | undefined;
  readonly arrivalMs: number | undefined;
  /** Its element of the event, or what it says in clear; `undefined`: the destination does not have it. */
  readonly record: unknown;
}
