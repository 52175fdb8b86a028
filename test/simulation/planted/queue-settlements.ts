import { bug, INVOKE, type PlantedBug, QUEUE } from "./planted-bug.ts";

/** Messages of queues that are lost, settled wrongly or not held. */
export const QUEUE_SETTLEMENT_BUGS: readonly PlantedBug[] = [
  bug("messages are acknowledged before their invocation", ["I14"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "const ending = await runQueueBatch(",
    replace: "void this.#settler.acknowledge(batch);\n      const ending = await runQueueBatch(",
  }),
  bug("messages of a failed batch are acknowledged", ["I14", "I1"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "return { acknowledge: [], leave: batch, release: [], releaseAfterMs: 0 };",
    replace: "return { acknowledge: batch, leave: [], release: [], releaseAfterMs: 0 };",
  }),
  bug("a batch that was throttled to the end is acknowledged", ["I14", "I1"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "return released(batch, Math.max(0, remainingMs));",
    replace: "return succeeded(context, running);",
  }),
  bug("a partial response is read the wrong way round", ["I14", "I1"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "if (failed.has(messageId)) {",
    replace: "if (!failed.has(messageId)) {",
  }),
  bug("a response that names unknown messages is taken for success", ["I14", "I1"], {
    file: `${INVOKE}/response.ts`,
    find: 'if (typeof identifier !== "string" || !knows(identifier)) {',
    replace: 'if (typeof identifier !== "string") {',
  }),
  bug("an unreadable response of a queue's batch is taken for success", ["I14", "I1"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "return failed(context, running, answer.reason);",
    replace: "return succeeded(context, running);",
  }),
  bug("an acknowledgement that failed is not tried again", ["I14"], {
    file: `${QUEUE}/settler.ts`,
    find: "if (open.length === 0 || !(await sleep(",
    replace: "if (open.length >= 0 || !(await sleep(",
  }),
  bug("messages are released that are lost", ["I14"], {
    file: `${QUEUE}/settler.ts`,
    find: "const own = held.filter((each) => isHeldAt(each, clock.monotonic()));",
    replace: "const own = held.filter((each) => isHeldAt(each, Number.NEGATIVE_INFINITY) || each.isLost);",
  }),
  bug("messages that no pattern matches are not deleted", ["I16"], {
    file: `${QUEUE}/queue-worker.ts`,
    find: "await this.#settler.acknowledge(unwanted);",
    replace: "",
  }),
  bug("holds are not prolonged", ["I14"], {
    file: `${QUEUE}/hold-keeper.ts`,
    find: "if (due.length > 0) await this.#prolong(due);",
    replace: "",
  }),
  bug("holds are prolonged when they have ended", ["I14"], {
    file: `${QUEUE}/hold-keeper.ts`,
    find: "const PROLONG_SHARE = 1 / 2;",
    replace: "const PROLONG_SHARE = 1 / 50;",
  }),
  bug("a hold is counted from the answer, not from the question", ["I14"], {
    file: `${QUEUE}/message-ledger.ts`,
    find: "const holdUntilMs = askedMs + holdMs;",
    replace: "const holdUntilMs = Math.max(askedMs, receivedMs) + holdMs;",
  }),
  bug("a receive waits longer than its messages are held", ["I14", "I7"], {
    file: `${QUEUE}/receiver.ts`,
    find: "holdMs * RECEIVE_WAIT_SHARE",
    replace: "holdMs * 10",
  }),
  bug("invocations start on messages that are lost", ["I14"], {
    file: `${QUEUE}/queue-batch-run.ts`,
    find: "if (nowMs < untilMs && batch.every((held) => isHeldAt(held, nowMs))) return true;",
    replace: "if (nowMs < untilMs) return true;",
  }),
  bug("messages are answered for, and their holds prolonged", ["I14"], {
    file: `${QUEUE}/settler.ts`,
    find: 'this.#options.onAnswered(open.filter((_, index) => results[index] !== "failed"));',
    replace: "",
  }),
];
