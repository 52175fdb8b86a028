import { type ContractBug, contractBug } from "../contract-bug.ts";

const STORM = {
  file: "test/servers/suites/restart-storm.test.ts",
  test: "no message is lost, or dead-lettered unseen, while mappings are updated, disabled and enabled and their process is restarted",
  needsServer: true,
};

const PROBLEMS = "test/unit/engine/queue/queue-problems.test.ts";

/** The SQS connector, the local queue, and what the engine tells of a queue. */
export const QUEUE_BUGS: readonly ContractBug[] = [
  contractBug(
    "an attribute that is called __proto__ fails its whole receive",
    {
      file: "test/unit/connectors/sqs/sdk-api.test.ts",
      test: "so is one that the SDK reads: __proto__",
    },
    {
      at: "an-attribute-that-is-called-proto-fails-its-whole-receive",
      instead: "return { ...answer };",
    },
  ),
  contractBug(
    "a message that is incomplete fails its whole receive",
    {
      file: "test/unit/connectors/sqs/event.test.ts",
      test: "a message that cannot be settled is handed out as damaged, which no function sees",
    },
    { at: "a-message-that-is-incomplete-fails-its-whole-receive", instead: "throw error;" },
  ),
  contractBug(
    "a receive that waits at SQS is cut off when no more is wanted",
    {
      file: "test/unit/connectors/sqs/source.test.ts",
      test: "a receive that is under way is answered though no more is wanted: what SQS handed out is not thrown away",
    },
    {
      at: "a-receive-that-waits-at-sqs-is-cut-off-when-no-more-is-wanted",
      instead: "return await this.#api.receive(request, signal);",
    },
  ),
  contractBug("a restart storm with receives that are cut off by a stop", STORM, {
    at: "a-restart-storm-with-receives-that-are-cut-off-by-a-stop",
    instead: "return await this.#api.receive(request, signal);",
  }),
  contractBug("a restart storm with more of a FIFO queue received than can start", STORM, {
    at: "a-restart-storm-with-more-of-a-fifo-queue-received-than-can-start",
    instead: "",
  }),
  contractBug(
    "what an update kept is not held for as long as the update lasts",
    {
      file: "test/unit/engine/queue/stopping.test.ts",
      test: "what an update kept is held until the next worker begins, under a hold that lasts as long as the update, and longer",
    },
    {
      at: "what-an-update-kept-is-not-held-for-as-long-as-the-update-lasts",
      instead: "const PROLONG_SHARE = 1_000;",
    },
  ),
  contractBug(
    "what an SQS queue says of itself when it is opened is believed for ever",
    {
      file: "test/unit/connectors/sqs/described-queue.test.ts",
      test: "the queue's attributes are asked for again once a minute, beside a receive that does not wait for them",
    },
    {
      at: "what-an-sqs-queue-says-of-itself-when-it-is-opened-is-believed-for-ever",
      instead: "if (nowMs() < againMs && againMs < 0) this.#ask().catch(() => undefined);",
    },
  ),
  contractBug(
    "an SQS queue that is found again is taken for the one that was there before",
    {
      file: "test/unit/connectors/sqs/described-queue.test.ts",
      test: "a queue that was not found says what it is before the first message of the next one is received",
    },
    {
      at: "an-sqs-queue-that-is-found-again-is-taken-for-the-one-that-was-there-before",
      instead: "void error;",
    },
  ),
  contractBug(
    "a local queue's row is read once and believed for ever",
    {
      file: "test/contract/local-queue.test.ts",
      test: "a queue that is removed is not found, and one made anew under its name is read by the same source",
    },
    { at: "a-local-queues-row-is-read-once-and-believed-for-ever", instead: "void row;" },
  ),
  contractBug(
    "a row of a local queue that cannot be read fails its whole receive",
    {
      file: "test/contract/local-queue.test.ts",
      test: "a message that cannot be converted is given with its damage, and its neighbours as they are",
    },
    {
      at: "a-row-of-a-local-queue-that-cannot-be-read-fails-its-whole-receive",
      instead: "if (error !== undefined) throw error;",
    },
  ),
  contractBug(
    "a queue that cannot be received is no problem",
    {
      file: PROBLEMS,
      test: "a queue that cannot be received is a problem that the mapping tells until it can be",
    },
    { at: "a-queue-that-cannot-be-received-is-no-problem", instead: "" },
  ),
  contractBug(
    "deletes that the queue refuses one by one are not told",
    {
      file: PROBLEMS,
      test: "deletes that are refused one by one are told and are a problem, though the function did well",
    },
    {
      at: "deletes-that-the-queue-refuses-one-by-one-are-not-told",
      instead: "if (error !== undefined) this.#tell(results, error);",
    },
  ),
];
