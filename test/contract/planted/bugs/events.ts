import { type ContractBug, contractBug } from "../contract-bug.ts";

const DECISION = "test/unit/engine/async/attempt-decision.test.ts";
const RECORDED = "test/unit/engine/async/recorded-outcomes.test.ts";

const POSTGRES = "test/servers/postgres-async-queue.test.ts";

/** Asynchronous events. */
export const EVENT_BUGS: readonly ContractBug[] = [
  contractBug(
    "the second retry comes as soon as the first",
    {
      file: "test/unit/engine/async/retry-times.test.ts",
      test: "function errors wait for a minute more each",
    },
    {
      at: "the-second-retry-comes-as-soon-as-the-first",
      instead: "return errors > 0 ? ERROR_PAUSE_MS : 0;",
    },
  ),
  contractBug(
    "an event has one retry too many",
    { file: DECISION, test: "the third ends it, by default" },
    {
      at: "one-retry-of-an-event-too-many",
      instead: 'if (errors > retriesOf(config) + 1) return giveUp("RetriesExhausted", failed, result.last);',
    },
  ),
  contractBug(
    "the age of an event is checked without look-ahead",
    {
      file: DECISION,
      test: "with an age of a minute the first error ends it at once: a retry would come too late",
    },
    {
      at: "the-age-of-an-event-is-checked-without-look-ahead",
      instead:
        'if (nowMs > ageEndMs(state, config)) return giveUp("EventAgeExceeded", state, lastOf(state));',
    },
  ),
  contractBug(
    "a dead letter's message has its whole error",
    {
      file: RECORDED,
      test: "a dead letter's message is cut at 1,024 bytes, and half a character is replaced",
    },
    { at: "a-dead-letter-message-has-its-whole-error", instead: "return new TextDecoder().decode(bytes);" },
  ),
  contractBug(
    "with an OnFailure destination the dead-letter queue gets nothing",
    { file: RECORDED, test: "with both, the destination and the dead-letter queue are told" },
    {
      at: "with-an-on-failure-destination-the-dead-letter-queue-gets-nothing",
      instead:
        "const deadLetters = config.onFailure === undefined ? [...new Set([deadLetter, policy?.deadLetterTarget])] : [];",
    },
  ),
  contractBug(
    "a throttle of an event counts as an error",
    { file: DECISION, test: "throttles use up no retry, however many" },
    {
      at: "a-throttle-of-an-event-counts-as-an-error",
      instead: "state = { ...state, functionErrors: state.functionErrors + 1 };",
      lines: 0,
    },
  ),
  contractBug(
    "a tick of PostgreSQL's queue is put wherever its cursor stands",
    {
      file: POSTGRES,
      test: "lets exactly one of several move a cursor from one place",
      needsServer: true,
    },
    {
      at: "a-tick-of-postgresql-is-put-wherever-its-cursor-stands",
      instead:
        "next: `UPDATE millrace.cursor SET place = $11 WHERE name = $9 AND $10::text <> '' RETURNING name`,",
    },
  ),
  contractBug(
    "PostgreSQL's queue settles what nobody holds any more",
    { file: POSTGRES, test: "changes nothing for whoever has lost the hold", needsServer: true },
    { at: "postgresql-settles-what-nobody-holds-any-more", instead: '""' },
  ),
  contractBug(
    "PostgreSQL's queue forgets what a finished event ends in",
    { file: POSTGRES, test: "takes a finished item off, and puts what comes of it", needsServer: true },
    {
      at: "postgresqls-finish-forgets-the-deliveries",
      instead:
        'finishInto: ["WITH unused AS (SELECT $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::bytea[], $11::text[]) ", FINISHED(9)].join(""),',
      lines: 3,
    },
  ),
  contractBug(
    "a member of a message of SNS holds lines, which are read as other members",
    {
      file: "test/unit/ingest/sns-push.test.ts",
      test: "a message of another topic is none of a declared one, however its lines are read",
    },
    {
      at: "a-member-of-a-signed-message-holds-lines",
      instead: 'if ([messageId].some((each) => each.includes("\0"))) return undefined;',
    },
  ),
  contractBug(
    "what comes of an event is sent to SQS once more at each repeat of its end",
    {
      file: "test/unit/stores/sqs-async-queue.test.ts",
      test: "an end whose answer was lost is told again without telling twice what comes of it",
    },
    { at: "what-comes-of-an-event-is-sent-to-sqs-again", instead: "await this.#send(next);" },
  ),
  contractBug(
    "a cursor in a cell is moved by whoever comes first to an end",
    {
      file: "test/contract/sqs-async-queue.test.ts",
      test: "lets exactly one of several move a cursor from one place",
    },
    {
      at: "a-cursor-in-a-cell-is-moved-by-whoever-comes",
      instead:
        'const claimed = await this.#cells.swap(key, cell?.revision ?? 0, JSON.stringify(claim)).then((answer) => ({ revision: 0, ...answer, kind: "swapped" }));',
    },
  ),
];
