import type { RefusalReason } from "../../ports/invoker.ts";
import type { AttemptFailure, BatchExplanation } from "../explanation.ts";
import { AttemptNotes } from "../invoke/attempt-notes.ts";
import { refusalCode } from "../invoke/refusal-code.ts";
import type { HeldMessage } from "./held-message.ts";

const GROUPS_MAX = 10;

/** Notes of a batch of messages, which is tried as a whole. */
export class QueueBatchNotes extends AttemptNotes {
  /** A function had the batch, or a part of it, in whatever way it ended. */
  wasSeen = false;
  /** How the batch failed; `undefined`: it has not. */
  lastFailure: AttemptFailure | undefined;
  #requestId = "";
  #throttles = 0;
  #notBeforeMs = 0;

  /** Hands the id back. */
  begin(requestId: string): string {
    this.#requestId = requestId;
    return requestId;
  }

  /** How the attempt that is under way failed. */
  notes(problem: string, code: AttemptFailure, errorId?: string): void {
    this.lastFailure = code;
    this.fails(problem, { errorId, failure: { requestId: this.#requestId, code } });
  }

  /** `untilMs`: monotonic. */
  pauses(problem: "throttled" | "unavailable" | RefusalReason, untilMs: number): void {
    this.notes(problem, codeOf(problem));
    this.#throttles++;
    this.#notBeforeMs = untilMs;
    this.does("pausing");
  }

  explainBatch(batch: readonly HeldMessage[]): BatchExplanation {
    const groups = new Set(batch.flatMap(({ message }) => message.groupId ?? []));
    return this.explain({
      requestId: this.#requestId,
      records: batch.length,
      laterRecords: 0,
      firstRecord: batch[0]?.message.messageId,
      lastRecord: batch.at(-1)?.message.messageId,
      failures: 0,
      throttles: this.#throttles,
      notBeforeMs: this.#notBeforeMs,
      groups: [...groups].slice(0, GROUPS_MAX),
    });
  }
}

function codeOf(problem: "throttled" | "unavailable" | RefusalReason): AttemptFailure {
  switch (problem) {
    case "throttled":
      return "functionThrottled";
    case "unavailable":
      return "functionUnavailable";
    case "zeroConcurrency":
    case "noSuchFunction":
    case "notReady":
    case "reservedConcurrency":
    case "concurrency":
    case "accountConcurrency":
    case "recursion":
      return refusalCode(problem);
  }
}
