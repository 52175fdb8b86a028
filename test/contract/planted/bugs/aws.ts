import { type ContractBug, contractBug } from "../contract-bug.ts";

const RAW_RECORDS = "test/unit/connectors/dynamodb-streams/raw-records.test.ts";
const AGGREGATE = "test/unit/connectors/kinesis/aggregate.test.ts";

/** Kinesis, DynamoDB Streams and what their connectors share. */
export const AWS_BUGS: readonly ContractBug[] = [
  contractBug(
    "attributes called __proto__ are lost",
    {
      file: RAW_RECORDS,
      test: "an item with an attribute called __proto__ comes to the function as DynamoDB wrote it",
    },
    {
      at: "attributes-called-proto-are-lost",
      instead: 'NewImage: JSON.stringify(Object.assign({}, JSON.parse(members.get("NewImage") ?? "{}"))),',
    },
  ),
  contractBug(
    "one record's odd time fails its page",
    { file: RAW_RECORDS, test: "a record with a time beyond any date costs its neighbours nothing" },
    {
      at: "one-records-odd-time-fails-its-page",
      instead: "return date === undefined ? undefined : new Date(date.toISOString());",
    },
  ),
  contractBug(
    "an aggregate's keys have no bound",
    { file: AGGREGATE, test: "an aggregate with a key that no stream takes is delivered as it is" },
    { at: "an-aggregates-keys-have-no-bound", instead: "if (bytes.length > 1e9)" },
  ),
  contractBug(
    "an aggregate is taken apart in one step",
    {
      file: AGGREGATE,
      test: "the largest aggregate that is taken apart is, in steps that others can go between",
    },
    { at: "an-aggregate-is-taken-apart-in-one-step", instead: "if (this.#fields < 0)" },
  ),
  contractBug(
    "the service's time is forgotten with its client",
    {
      file: "test/unit/aws/client.test.ts",
      test: "a client that is made anew knows the service's time from the one before",
    },
    {
      at: "the-services-time-is-forgotten-with-its-client",
      instead: `String(\`\${client.config.serviceId} \${region ?? ""} \${place}\`);`,
    },
  ),
  contractBug(
    "refused credentials are kept",
    {
      file: "test/unit/aws/credentials.test.ts",
      test: "credentials that were refused are read anew, and only others are worth another try",
    },
    { at: "refused-credentials-are-kept", instead: "" },
  ),
  contractBug(
    "a source that is being opened is given up at its first throttle",
    { file: "test/unit/aws/call.test.ts", test: "what works at the last try is an answer" },
    {
      at: "a-source-that-is-being-opened-is-given-up-at-its-first-throttle",
      instead: "if (attempt >= 1 || signal.aborted || !again(error)) throw error;",
    },
  ),
  contractBug(
    "a subscription that brings nothing is taken for an idle one",
    {
      file: "test/unit/connectors/kinesis/fan-out.test.ts",
      test: "a subscription that is accepted proves nothing before its first event: a proxy may hold all of them back",
    },
    {
      at: "a-subscription-that-brings-nothing-is-taken-for-an-idle-one",
      instead: "if (waitMs > 0) return this.#nothing(waitMs);",
    },
  ),
  contractBug(
    "an empty page without an iterator ends its shard",
    {
      file: "test/unit/connectors/kinesis/recovery.test.ts",
      test: "one page without records and without a next iterator is not believed to be the end of a shard",
    },
    { at: "an-empty-page-without-an-iterator-ends-its-shard", instead: "return this.#isEndSaid;" },
  ),
  contractBug(
    "an empty page of changes without an iterator ends its shard",
    {
      file: "test/unit/connectors/dynamodb-streams/reader.test.ts",
      test: "one page without records and without a next iterator is not believed to be the end of a shard",
    },
    {
      at: "an-empty-page-of-changes-without-an-iterator-ends-its-shard",
      instead: "return wasSaid || records >= 0;",
    },
  ),
  contractBug(
    "one answer that a place is trimmed gives a shard again",
    {
      file: "test/unit/connectors/dynamodb-streams/reader.test.ts",
      test: "a place that is called trimmed once, and is not, repeats nothing and is no gap",
    },
    { at: "one-answer-that-a-place-is-trimmed-gives-a-shard-again", instead: "const unread = records;" },
  ),
  contractBug(
    "an answer without a receipt counts as delivered",
    {
      file: "test/unit/destinations/aws-faults.test.ts",
      test: "s3: an answer of 200 that is not the service's delivers nothing, and is told",
    },
    { at: "an-answer-without-a-receipt-counts-as-delivered", instead: "if (receipt !== null) return;" },
  ),
  contractBug(
    "a web page is taken for what a function returned",
    {
      file: "test/unit/functions/lambda-answers.test.ts",
      test: "a web page with status 200 is no function's answer: nothing has run, and nothing is settled",
    },
    { at: "a-web-page-is-taken-for-what-a-function-returned", instead: "" },
  ),
];
