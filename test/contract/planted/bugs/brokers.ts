import { type ContractBug, contractBug } from "../contract-bug.ts";

const ACTIVEMQ = "test/unit/connectors/activemq/source.test.ts";
const RABBITMQ = "test/unit/connectors/rabbitmq/source.test.ts";

/** Queues of brokers, which send their messages ahead. */
export const BROKER_BUGS: readonly ContractBug[] = [
  contractBug(
    "what nobody asks for goes back one by one",
    {
      file: RABBITMQ,
      test: "a message whose hold ended while nobody asks goes back once: a quorum queue counts one delivery more",
    },
    {
      at: "what-nobody-asks-for-goes-back-one-by-one",
      instead: "if (open.window.nextMs <= this.#nowMs()) open.window.endHolds(false);",
    },
  ),
  contractBug(
    "an acknowledgement of several covers what is open",
    {
      file: RABBITMQ,
      test: "one acknowledgement settles all below which nothing is open, and each other message has its own",
    },
    {
      at: "an-acknowledgement-of-several-covers-what-is-open",
      instead: "if (!done.has(delivery)) continue;",
    },
  ),
  contractBug(
    "what is in hand is overtaken by what is behind it",
    {
      file: RABBITMQ,
      test: "in the order of a header, a message waits for those of its value that are in hand, and for no others",
    },
    {
      at: "what-is-in-hand-is-overtaken-by-what-is-behind-it",
      instead: "if (delivery.notBeforeMs <= nowMs) {",
    },
  ),
  contractBug(
    "what waits outlives the broker's patience",
    {
      file: RABBITMQ,
      test: "messages that wait go back before the broker's consumer_timeout, in their order",
    },
    {
      at: "what-waits-outlives-the-brokers-patience",
      instead: "if (nowMs() - oldestMs > ageMsMax * 1e9) this.giveBackWaiting();",
    },
  ),
  contractBug(
    "results of a channel that is gone are believed",
    {
      file: RABBITMQ,
      test: "results of a channel that is gone change nothing, and its messages come again as redelivered",
    },
    { at: "results-of-a-channel-that-is-gone-are-believed", instead: "" },
  ),
  contractBug(
    "a broker that forgets deliveries has a message tried for ever",
    {
      file: ACTIVEMQ,
      test: "deliveries are counted on by a source that is opened anew, though the broker forgets them",
    },
    { at: "a-broker-that-forgets-deliveries-has-a-message-tried-for-ever", instead: "" },
  ),
  contractBug(
    "an object of Java is taken for bytes",
    {
      file: "test/unit/connectors/activemq/event.test.ts",
      test: "an object of Java, which comes as data is damaged, as AWS has no event of it, and its contents are told nowhere",
    },
    { at: "an-object-of-java-is-taken-for-bytes", instead: "" },
  ),
  contractBug(
    "brokers of one form of ARN are not told apart",
    {
      file: "test/unit/connectors/activemq/parameters.test.ts",
      test: "is told from one of RabbitMQ by its endpoints, and has AWS's defaults",
    },
    { at: "brokers-of-one-form-of-arn-are-not-told-apart", instead: "return meant[0];" },
  ),
  contractBug(
    "endpoints of two kinds of brokers are those of the first",
    {
      file: "test/unit/connectors/activemq/parameters.test.ts",
      test: "that names no endpoints is refused where the operator has those of two kinds of brokers",
    },
    {
      at: "endpoints-of-two-kinds-of-brokers-are-those-of-the-first",
      instead: "if (rivals.length < 3) return undefined;",
    },
  ),
];
