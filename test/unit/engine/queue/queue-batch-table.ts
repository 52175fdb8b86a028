/** Makes `docs/queue-batch-decisions.md`: `node test/unit/engine/queue/queue-batch-table.ts`. */
import { writeFileSync } from "node:fs";
import type { HeldMessage } from "../../../../src/engine/queue/held-message.ts";
import {
  decideQueueBatch,
  type QueueBatchDecision,
  type QueueBatchRules,
} from "../../../../src/engine/queue/queue-batch-decision.ts";
import type { InvocationResult } from "../../../../src/ports/invoker.ts";

export const QUEUE_DECISIONS_FILE = new URL("../../../../docs/queue-batch-decisions.md", import.meta.url);

export interface QueueDecisionRow {
  /** What came of the attempt, for people. */
  readonly came: string;
  readonly result: InvocationResult;
  /** Groups of the batch's messages, which are m1, m2, …; "": a queue without groups. */
  readonly groups?: string;
  readonly rules?: Partial<QueueBatchRules>;
  readonly isGivenUp?: boolean;
  readonly becomes: string;
}

const returned = (body: unknown): InvocationResult => ({
  kind: "succeeded",
  payload: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
});
const listed = (...ids: readonly string[]) =>
  returned({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const error: InvocationResult = { kind: "functionError", errorType: "Error", message: "" };
const partial = { reportBatchItemFailures: true };
const strict = { reportBatchItemFailures: true, strictAwsFifo: true };

export const QUEUE_DECISION_ROWS: readonly QueueDecisionRow[] = [
  {
    came: "no call: a hold or the drain ended while the batch waited for its turn",
    result: { kind: "notStarted" },
    becomes: "give back m1 m2 m3",
  },
  {
    came: "a call that the end of a stop gave up",
    result: error,
    isGivenUp: true,
    becomes: "leave m1 m2 m3",
  },
  { came: "any answer", result: returned("not JSON"), becomes: "delete m1 m2 m3" },
  { came: "an error of the function", result: error, becomes: "leave m1 m2 m3; fewer batches at once" },
  { came: "an error of the function", result: error, rules: partial, becomes: "leave m1 m2 m3" },
  {
    came: "a function that did not answer in time",
    result: { kind: "timedOut" },
    becomes: "leave m1 m2 m3; fewer batches at once",
  },
  { came: "an empty list of failures", result: listed(), rules: partial, becomes: "delete m1 m2 m3" },
  {
    came: "a list that names m2",
    result: listed("m2"),
    rules: partial,
    becomes: "delete m1 m3, leave m2",
  },
  {
    came: "a list that names m1, of groups a b a",
    result: listed("m1"),
    groups: "aba",
    rules: partial,
    becomes: "delete m2, leave m1, give back m3",
  },
  {
    came: "a list that names m1, of groups a b a",
    result: listed("m1"),
    groups: "aba",
    rules: strict,
    becomes: "delete m2 m3, leave m1",
  },
  {
    came: "a list that names a message of another batch",
    result: listed("m1", "m9"),
    rules: partial,
    becomes: "leave m1 m2 m3",
  },
  {
    came: "an answer that cannot be read",
    result: returned("not JSON"),
    rules: partial,
    becomes: "leave m1 m2 m3",
  },
  {
    came: "an event that is too large for what stands before the function",
    result: { kind: "payloadTooLarge" },
    becomes: "each half alone",
  },
  {
    came: "the same of a single message",
    result: { kind: "payloadTooLarge" },
    groups: "a",
    becomes: "leave m1; fewer batches at once",
  },
  {
    came: "a throttle with a Retry-After of 5 s",
    result: { kind: "throttled", retryAfterMs: 5_000 },
    becomes: "again after the back-off or 5000 ms, while its holds last",
  },
  {
    came: "a door that is shut, since the function's concurrency is 0",
    result: { kind: "refused", why: "zeroConcurrency" },
    becomes: "again after the back-off, while its holds last",
  },
  {
    came: "a function that cannot be reached",
    result: { kind: "unavailable", message: "" },
    rules: partial,
    becomes: "again after the back-off, while its holds last",
  },
];

/** What the decision is for this row, as `becomes` says it. */
export function queueDecisionOf(row: QueueDecisionRow): string {
  return tell(decideQueueBatch(batchOf(row), row.result, rulesOf(row), row.isGivenUp === true));
}

export function batchOf({ groups = "   " }: Pick<QueueDecisionRow, "groups">): readonly HeldMessage[] {
  return [...groups].map((group, index) => ({
    message: {
      messageId: `m${index + 1}`,
      groupId: group === " " ? undefined : group,
      receiveCount: 1,
      sentMs: 0,
      bytes: 1,
      encodedBytes: 1,
    },
    receivedMs: 0,
    holdUntilMs: 30_000,
    spanMs: 30_000,
    isLost: false,
    together: undefined,
    isSettled: false,
  }));
}

function rulesOf({ rules = {} }: QueueDecisionRow): QueueBatchRules {
  return { reportBatchItemFailures: false, strictAwsFifo: false, ...rules };
}

function tell(decision: QueueBatchDecision): string {
  if (decision.kind === "halves") return "each half alone";
  if (decision.kind === "again") {
    const least = decision.retryAfterMs === 0 ? "" : ` or ${decision.retryAfterMs} ms`;
    return `again after the back-off${least}, while its holds last`;
  }
  const { acknowledge, leave, release } = decision.ending;
  const parts = [names("delete", acknowledge), names("leave", leave), names("give back", release)];
  const slower = decision.kind === "failed" && decision.slowsDown ? "; fewer batches at once" : "";
  return `${parts.filter((part) => part !== "").join(", ")}${slower}`;
}

function names(verb: string, held: readonly HeldMessage[]): string {
  return held.length === 0 ? "" : `${verb} ${held.map(({ message }) => message.messageId).join(" ")}`;
}

export function queueDecisionPage(): string {
  const rows = QUEUE_DECISION_ROWS.map((row) => {
    const { reportBatchItemFailures, strictAwsFifo } = rulesOf(row);
    const rules = `${reportBatchItemFailures ? "yes" : "no"}, ${strictAwsFifo ? "yes" : "no"}`;
    return `| ${row.came} | ${rules} | ${row.becomes} |\n`;
  });
  return `# What becomes of a batch of messages

<!-- Made by "node test/unit/engine/queue/queue-batch-table.ts" from the rows that its test holds the code against. -->

What an attempt at a batch of a queue comes to is decided in \`src/engine/queue/queue-batch-decision.ts\`, by the
attempt's result and two rules of the mapping; the clause is [queues §2](contract/queues.md). A batch has the messages
m1 m2 m3, without groups unless its row says otherwise. *Leave* is to let a message come again when its hold ends; *give
back* is to let it come again at once, because it did nothing wrong.

| what came | ReportBatchItemFailures, strictAwsFifo | what becomes of the batch |
|---|---|---|
${rows.join("")}
Messages that wait in the same group behind one that is left or given back go back too, before a function sees them. A
batch that is tried again goes back with what is left of its holds when the next back-off would outlast them.
`;
}

if (import.meta.main) writeFileSync(QUEUE_DECISIONS_FILE, queueDecisionPage());
