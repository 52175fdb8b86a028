import type { History, InvariantId, MappingHistory } from "../history.ts";
import type { Ledger } from "../ledger.ts";

/** One invariant of docs/invariants.md, judged on the history of one mapping. */
export interface Checker {
  readonly id: InvariantId;
  readonly title: string;
  check(trial: Trial): void;
}

export interface Trial {
  readonly history: History;
  readonly mapping: MappingHistory;
  readonly ledger: Ledger;
  report(atMs: number, message: string): void;
}

export interface Violation {
  readonly invariant: InvariantId;
  readonly at: number;
  readonly mapping: string | undefined;
  readonly message: string;
}
