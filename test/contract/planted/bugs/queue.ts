import { type ContractBug, contractBug } from "../contract-bug.ts";

const STORM = {
  file: "test/servers/suites/restart-storm.test.ts",
  test: "no message is lost, or dead-lettered unseen, while mappings are updated, disabled and enabled and their process is restarted",
  needsServer: true,
};

/** The SQS connector and the local queue. */
export const QUEUE_BUGS: readonly ContractBug[] = [
  contractBug(
    "an attribute that is called __proto__ fails its whole receive",
    {
      file: "test/unit/connectors/sqs/sdk-api.test.ts",
      test: "an attribute whose name is written as __proto__ is delivered with its message, beside healthy ones",
    },
    {
      file: "connectors/sqs/sdk-client.ts",
      find: "body: withoutOddNames(response.body)",
      replace: "body: response.body",
    },
  ),
  contractBug(
    "a message that is incomplete fails its whole receive",
    {
      file: "test/unit/connectors/sqs/event.test.ts",
      test: "a message that cannot be settled is handed out as damaged, which no function sees",
    },
    {
      file: "connectors/sqs/event.ts",
      find: "return damaged(message, isFifo, describeError(error));",
      replace: "throw error;",
    },
  ),
  contractBug(
    "a receive that waits at SQS is cut off when no more is wanted",
    {
      file: "test/unit/connectors/sqs/source.test.ts",
      test: "a receive that is under way is answered though no more is wanted: what SQS handed out is not thrown away",
    },
    {
      file: "connectors/sqs/source.ts",
      find: "this.#api.receive(request, this.#closing.signal)",
      replace: "this.#api.receive(request, signal)",
    },
  ),
  contractBug("a restart storm with receives that are cut off by a stop", STORM, {
    file: "connectors/sqs/source.ts",
    find: "this.#api.receive(request, this.#closing.signal)",
    replace: "this.#api.receive(request, signal)",
  }),
  contractBug("a restart storm with more of a FIFO queue received than can start", STORM, {
    file: "src/engine/queue/receive-room.ts",
    find: "if (this.isOrdered) return this.#ofOneBatch(free - receives);",
    replace: "",
  }),
];
