import type { History, InvariantId } from "../../history.ts";
import type { QueueHistory } from "../../queue-history.ts";
import type { QueueLedger } from "../../queue-ledger.ts";

/** One invariant of docs/invariants.md, judged on the history of one queue mapping. */
export interface QueueChecker {
  readonly id: InvariantId;
  readonly title: string;
  check(trial: QueueTrial): void;
}

export interface QueueTrial {
  readonly history: History;
  readonly queue: QueueHistory;
  readonly ledger: QueueLedger;
  report(atMs: number, message: string): void;
}
