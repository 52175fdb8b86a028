import { bug, type PlantedBug } from "./planted-bug.ts";

/** Messages of queues that are lost, settled wrongly or not held. */
export const QUEUE_SETTLEMENT_BUGS: readonly PlantedBug[] = [
  bug("messages are acknowledged before their invocation", ["I14"], {
    at: "messages-are-acknowledged-before-their-invocation",
    instead:
      "void settlement.acknowledgeEarly(batch);\nconst ending = await runQueueBatch({ ...context, notes }, batch);",
  }),
  bug("messages of a failed batch are acknowledged", ["I14", "I1"], {
    at: "messages-of-a-failed-batch-are-acknowledged",
    instead: "return { acknowledge: batch, leave: [], release: [], releaseAfterMs: 0 };",
  }),
  bug("a batch that was throttled to the end is acknowledged", ["I14", "I1"], {
    at: "a-batch-that-was-throttled-to-the-end-is-acknowledged",
    instead: "return { acknowledge: batch, leave: [], release: [], releaseAfterMs: 0 };",
  }),
  bug("a partial response is read the wrong way round", ["I14", "I1"], {
    at: "a-partial-response-is-read-the-wrong-way-round",
    instead: "if (!failed.has(messageId)) {",
  }),
  bug("a response that names unknown messages is taken for success", ["I14", "I1"], {
    at: "a-response-that-names-unknown-messages-is-taken-for-success",
    instead: 'if (typeof identifier !== "string") {',
  }),
  bug("an unreadable response of a queue's batch is taken for success", ["I14", "I1"], {
    at: "an-unreadable-response-of-a-queues-batch-is-taken-for-success",
    instead: 'return { kind: "succeeded", ending: acknowledged(batch) };',
  }),
  bug("an acknowledgement that failed is not tried again", ["I14"], {
    at: "an-acknowledgement-that-failed-is-not-tried-again",
    instead:
      "if (open.length >= 0 || !(await sleep(clock, backoffMs(failures, limits, random), signal))) break;",
  }),
  bug("messages are released that are lost", ["I14"], {
    at: "messages-are-released-that-are-lost",
    instead: "const own = held.filter((each) => isHeldAt(each, Number.NEGATIVE_INFINITY) || each.isLost);",
  }),
  bug("messages that no pattern matches are not deleted", ["I16"], {
    at: "messages-that-no-pattern-matches-are-not-deleted",
    instead: "",
  }),
  bug("holds are not prolonged", ["I14"], { at: "holds-are-not-prolonged", instead: "" }),
  bug("a slow extension holds up all others", ["I23", "I14"], {
    at: "a-slow-extension-holds-up-all-others",
    instead:
      "const due = this.#asked.size > 0 ? [] : idle.filter((held) => this.#held.has(held) && isDue(held));",
  }),
  bug("holds are prolonged when they have ended", ["I14"], {
    at: "holds-are-prolonged-when-they-have-ended",
    instead: "const PROLONG_SHARE = 1 / 50;",
  }),
  bug("a hold is counted from the answer, not from the question", ["I14"], {
    at: "a-hold-is-counted-from-the-answer-not-from-the-question",
    instead: "const holdUntilMs = Math.max(askedMs, receivedMs) + holdMs;",
  }),
  bug("a receive waits longer than its messages are held", ["I14", "I7"], {
    at: "a-receive-waits-longer-than-its-messages-are-held",
    instead: "const waitMs = Math.min(longestMs, holdMs * 10);",
  }),
  bug("invocations start on messages that are lost", ["I14"], {
    at: "invocations-start-on-messages-that-are-lost",
    instead: "if (nowMs < untilMs) return true;",
  }),
  bug("messages are answered for, and their holds prolonged", ["I14"], {
    at: "messages-are-answered-for-and-their-holds-prolonged",
    instead: "",
  }),
];
