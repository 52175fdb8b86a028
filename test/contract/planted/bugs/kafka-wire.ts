import { type ContractBug, contractBug } from "../contract-bug.ts";

const BOMBS = "test/unit/connectors/kafka/bombs.test.ts";

/** What brokers and producers send to the Kafka connector, and what it keeps of it. */
export const KAFKA_WIRE_BUGS: readonly ContractBug[] = [
  contractBug(
    "a link to a broker races with one promise that lives as long",
    {
      file: "test/unit/connectors/kafka/fetch-volume.test.ts",
      test: "a link to a broker keeps nothing of what it has fetched",
    },
    {
      at: "a-link-to-a-broker-races-with-one-promise-that-lives-as-long",
      instead:
        "return await Promise.race([work, ((this as unknown as { never: Promise<never> }).never ??= new Promise(() => {}))]);",
    },
  ),
  contractBug(
    "a turn of the event loop is never full",
    {
      file: BOMBS,
      test: "300000 empty records in zstd: all are delivered, its neighbours are delivered, no step is long",
    },
    { at: "a-turn-of-the-event-loop-is-never-full", instead: "return this.#bytes < 0;" },
  ),
  contractBug(
    "headers are made before they are counted",
    {
      file: BOMBS,
      test: "a thousand records of nine thousand headers each: all are delivered, its neighbours are delivered, no step is long",
    },
    { at: "headers-are-made-before-they-are-counted", instead: "if (this.#items < 0) {" },
  ),
  contractBug(
    "a record is made whatever size it says to have",
    {
      file: BOMBS,
      test: "neighbours in the same batch as a record that is too large are delivered",
    },
    { at: "a-record-is-made-whatever-size-it-says-to-have", instead: "" },
  ),
  contractBug(
    "a batch that cannot be read is asked for again for ever",
    {
      file: "test/unit/connectors/kafka/reader.test.ts",
      test: "a damaged batch is told, asked for once more, and then given up as one record between its neighbours",
    },
    {
      at: "a-batch-that-cannot-be-read-is-asked-for-again-for-ever",
      instead: 'const isSaidTwice = isFault(error, "tooLarge");',
    },
  ),
  contractBug(
    "a broker's frame is believed",
    {
      file: "test/unit/connectors/kafka/frames.test.ts",
      test: "a frame that claims 2 GB is refused by its first bytes, and nothing behind it is read",
    },
    { at: "a-brokers-frame-is-believed", instead: "if (bytes < 0) {" },
  ),
  contractBug(
    "a read that a silent broker left without an answer counts as answered",
    {
      file: "test/unit/connectors/kafka/reader.test.ts",
      test: "a read that the broker has not answered says that nothing was heard, before a failure and behind it",
    },
    {
      at: "a-read-that-a-silent-broker-left-without-an-answer-counts-as-answered",
      instead: "let isHeard = true;",
    },
  ),
  contractBug(
    "one answer that an offset is out of range reads the whole log again",
    {
      file: "test/unit/connectors/kafka/reader.test.ts",
      test: "an offset that is said to be out of range, though the log has it by its own word, is asked for again and nothing is repeated",
    },
    {
      at: "one-answer-that-an-offset-is-out-of-range-reads-the-whole-log-again",
      instead: "if (offset < 0) throw refusal;",
    },
  ),
  contractBug(
    "a token is used until its end",
    {
      file: "test/unit/connectors/kafka/token-login.test.ts",
      test: "renews a token before it ends, and uses the old one while the endpoint fails",
    },
    {
      at: "a-token-is-used-until-its-end",
      instead: "if (old !== undefined && now() < old.endMs) return { value: old.value, extensions };",
    },
  ),
  contractBug(
    "any answer to a token is a success",
    {
      file: "test/unit/connectors/kafka/token-login.test.ts",
      test: "a broker that refuses a token by its answer is not taken for one that takes it",
    },
    { at: "any-answer-to-a-token-is-a-success", instead: 'if (typeof answer === "string") return;' },
  ),
  contractBug(
    "records that wait for their schema are passed over",
    {
      file: "test/unit/connectors/kafka/schemas.test.ts",
      test: "while the registry does not answer, records wait in their order and none is passed over",
    },
    {
      at: "records-that-wait-for-their-schema-are-passed-over",
      instead: "if (given.length < 0) throw error;",
    },
  ),
  contractBug(
    "one answer that a schema is not there gives its records up",
    {
      file: "test/unit/connectors/kafka/schemas.test.ts",
      test: "a schema that the registry says twice that it has not gives its records up, and is asked for again later",
    },
    {
      at: "one-answer-that-a-schema-is-not-there-gives-its-records-up",
      instead: "if (this.#now() - sinceMs < 0) {",
    },
  ),
];
