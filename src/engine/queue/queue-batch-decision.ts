import { reducedErrorType } from "../../model/function-error.ts";
import type { QueueMapping } from "../../model/mapping.ts";
import type { InvocationResult, RefusalReason } from "../../ports/invoker.ts";
import type { AttemptFailure } from "../explanation.ts";
import { readFailedMessages } from "../invoke/response.ts";
import { acknowledged, type BatchEnding, divided, left, released } from "./batch-ending.ts";
import type { HeldMessage } from "./held-message.ts";

/** What comes next for a batch of a queue. */
export type QueueBatchDecision =
  /** No function saw it, or nobody heard how it ended. */
  | { readonly kind: "unheard"; readonly ending: BatchEnding }
  /** The same batch again, while its holds last: it costs no receive. */
  | {
      readonly kind: "again";
      readonly problem: "throttled" | "unavailable" | RefusalReason;
      /** The function's door let it not in. */
      readonly isRefusal: boolean;
      readonly retryAfterMs: number;
      /** What is told of it. */
      readonly error: string | undefined;
    }
  /** Each half alone. */
  | { readonly kind: "halves" }
  | { readonly kind: "succeeded"; readonly ending: BatchEnding }
  /** The function returned, and named those that failed. */
  | { readonly kind: "listed"; readonly ending: BatchEnding }
  | {
      readonly kind: "failed";
      readonly problem: string;
      /** The failure in the error book, where the function failed itself. */
      readonly errorId: string | undefined;
      readonly code: AttemptFailure;
      readonly ending: BatchEnding;
      /** Fewer batches at once from now on. */
      readonly slowsDown: boolean;
      /** The function returned something else than its mapping asks for. */
      readonly isMalformed: boolean;
    };

/** What its mapping says of answers. */
export type QueueBatchRules = Pick<QueueMapping, "reportBatchItemFailures" | "strictAwsFifo">;

/**
 * The law of queues' batches (queues §2.2, §2.3), apart from all that carries it out. `isGivenUp`: the end of a stop
 * gave the call up, which says nothing of what the function did.
 */
export function decideQueueBatch(
  batch: readonly HeldMessage[],
  result: InvocationResult,
  rules: QueueBatchRules,
  isGivenUp: boolean,
): QueueBatchDecision {
  if (result.kind === "notStarted") return { kind: "unheard", ending: released(batch) };
  if (isGivenUp) return { kind: "unheard", ending: left(batch) };
  switch (result.kind) {
    case "throttled":
      return again("throttled", { retryAfterMs: result.retryAfterMs ?? 0 });
    case "unavailable":
      return again("unavailable", { error: result.message });
    case "refused":
      return again(result.why, { isRefusal: true });
    case "succeeded":
      return returned(batch, result.payload, rules);
    case "functionError":
      return failed(batch, reducedErrorType(result.errorType), "functionFails", rules, result.errorId);
    case "timedOut":
      // plant: a-failed-batch-of-messages-is-tried-again-at-once
      return failed(batch, result.kind, "functionTimesOut", rules, result.errorId);
    case "payloadTooLarge":
      return batch.length < 2 ? failed(batch, result.kind, "payloadTooLarge", rules) : { kind: "halves" };
  }
}

type Again = Extract<QueueBatchDecision, { readonly kind: "again" }>;

function again(
  problem: Again["problem"],
  {
    retryAfterMs = 0,
    error,
    isRefusal = false,
  }: Partial<Pick<Again, "retryAfterMs" | "error" | "isRefusal">>,
): Again {
  return { kind: "again", problem, retryAfterMs, error, isRefusal };
}

function returned(
  batch: readonly HeldMessage[],
  payload: Uint8Array,
  rules: QueueBatchRules,
): QueueBatchDecision {
  if (!rules.reportBatchItemFailures) return { kind: "succeeded", ending: acknowledged(batch) };
  const ids = new Set(batch.map(({ message }) => message.messageId));
  const answer = readFailedMessages(payload, (id) => ids.has(id));
  if (answer.kind === "malformed") {
    // plant: an-unreadable-response-of-a-queues-batch-is-taken-for-success
    return { ...failed(batch, answer.reason, "malformedResponse", rules), isMalformed: true };
  }
  if (answer.identifiers.length === 0) return { kind: "succeeded", ending: acknowledged(batch) };
  return { kind: "listed", ending: divided(batch, new Set(answer.identifiers), rules.strictAwsFifo) };
}

/** With partial responses AWS does not slow down on failures (queues §2.3). */
function failed(
  batch: readonly HeldMessage[],
  problem: string,
  code: AttemptFailure,
  { reportBatchItemFailures }: QueueBatchRules,
  errorId?: string,
) {
  const slowsDown = !reportBatchItemFailures;
  const ending = left(batch);
  return { kind: "failed", problem, code, errorId, ending, slowsDown, isMalformed: false } as const;
}
