import { type ContractBug, contractBug } from "../contract-bug.ts";

const GROUP = "test/unit/connectors/kafka/group-progress.test.ts";

/** Where laws of any stream source catch it: on the scripted broker and on a real one. */
function onBoth(
  name: string,
  test: string,
  patch: Parameters<typeof contractBug>[2],
): readonly ContractBug[] {
  return [
    contractBug(`Kafka: ${name}`, { file: "test/contract/kafka-stream.test.ts", test }, patch),
    contractBug(
      `Kafka, a real broker: ${name}`,
      { file: "test/servers/kafka-stream.test.ts", test, needsServer: true },
      patch,
    ),
  ];
}

/** The Kafka connector. */
export const KAFKA_BUGS: readonly ContractBug[] = [
  ...onBoth(
    "a topic made anew is taken for the one that was read",
    "a start after 10 records of an old stream reads all 15 of the new one",
    {
      at: "a-topic-made-anew-is-taken-for-the-one-that-was-read",
      instead: "const isOther = topicId === undefined && ask.topicId !== undefined;",
    },
  ),
  ...onBoth(
    "leader epochs are not compared",
    "a start behind the end that a log lost reads what was written in its place",
    { at: "leader-epochs-are-not-compared", instead: "return -1;" },
  ),
  ...onBoth(
    "a read tells of its last record only",
    "a read tells how far it looked, where the end of the shard holds no record",
    { at: "a-read-tells-of-its-last-record-only", instead: "const hasMoved = false;" },
  ),
  ...onBoth(
    "a time beyond 2^53 is taken for damage",
    "a time that is none is handed on as it is, and its record and all behind it are delivered",
    { at: "a-time-beyond-2-53-is-taken-for-damage", instead: "const baseTimestampMs = reader.int64();" },
  ),
  contractBug(
    "Kafka: the log of a checkpoint is forgotten with its process",
    {
      file: GROUP,
      test: "a checkpoint's log comes back with it, and with it the leader's epoch of its last record",
    },
    {
      at: "kafka-the-log-of-a-checkpoint-is-forgotten-with-its-process",
      instead: "const metadata = encodeCommitMetadata(offset, { revision, settledRanges });",
    },
  ),
  contractBug(
    "Kafka: what was settled ahead of a lost end hides what was written in its place",
    {
      file: GROUP,
      test: "what was settled ahead in a log that has lost its end is cut there, and asked of no other",
    },
    {
      at: "kafka-what-was-settled-ahead-of-a-lost-end-hides-what-was-written-in-its-place",
      instead: "return { ...checkpoint, settledRanges };",
    },
  ),
  contractBug(
    "Kafka: a topic with fewer partitions is not shared out anew",
    {
      file: GROUP,
      test: "a topic made anew with fewer partitions is shared out anew, and the missing ones come back with it",
    },
    {
      at: "kafka-a-topic-with-fewer-partitions-is-not-shared-out-anew",
      instead: "if ([...now].some(([topic, count]) => count > (counts.get(topic) ?? 0))) this.joinAgain();",
    },
  ),
  contractBug(
    "leases that cannot be renewed are no problem",
    {
      file: "test/unit/engine/stream/source-problems.test.ts",
      test: "leases that cannot be renewed are told, though all else answers: nothing starts soon",
    },
    { at: "leases-that-cannot-be-renewed-are-no-problem", instead: "onRenewal: () => undefined," },
  ),
  contractBug(
    "a shard whose lanes are held up cannot say why",
    {
      file: "test/unit/control/standstill-book.test.ts",
      test: "a function that is throttled for minutes is told of the lane that waits for it, and nothing is said to be unknown",
    },
    { at: "a-shard-whose-lanes-are-held-up-cannot-say-why", instead: "const isSaidByLanes = false;" },
  ),
  contractBug(
    "what a source holds back cannot be explained",
    {
      file: "test/unit/control/standstill-book.test.ts",
      test: "records that the source has and does not give, as those of an open transaction, are told as held back",
    },
    { at: "what-a-source-holds-back-cannot-be-explained", instead: "if (bufferedRecords < 0)" },
  ),
  contractBug(
    "whoever does not answer at all is not told",
    {
      file: "test/unit/engine/stream/source-problems.test.ts",
      test: "a read, or an opening, that is not answered for thirty seconds is told, though nothing has failed",
    },
    { at: "whoever-does-not-answer-at-all-is-not-told", instead: "if (silentMs < 1e12) return undefined;" },
  ),
];
