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
      file: "connectors/dynamodb-streams/raw-records.ts",
      find: 'NewImage: members.get("NewImage"),',
      replace: 'NewImage: JSON.stringify(Object.assign({}, JSON.parse(members.get("NewImage") ?? "{}"))),',
    },
  ),
  contractBug(
    "one record's odd time fails its page",
    { file: RAW_RECORDS, test: "a record with a time beyond any date costs its neighbours nothing" },
    {
      file: "connectors/dynamodb-streams/raw-records.ts",
      find: "return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;",
      replace: "return date === undefined ? undefined : new Date(date.toISOString());",
    },
  ),
  contractBug(
    "an aggregate's keys have no bound",
    { file: AGGREGATE, test: "an aggregate with a key that no stream takes is delivered as it is" },
    {
      file: "connectors/kinesis/aggregate.ts",
      find: "if (bytes.length > PARTITION_KEY_BYTES_MAX)",
      replace: "if (bytes.length > 1e9)",
    },
  ),
  contractBug(
    "an aggregate is taken apart in one step",
    {
      file: AGGREGATE,
      test: "the largest aggregate that is taken apart is, in steps that others can go between",
    },
    {
      file: "connectors/kinesis/aggregate.ts",
      find: "if (turn.isFullWith(STEP_BYTES_MAX / 4, FIELDS_A_STEP))",
      replace: "if (this.#fields < 0)",
    },
  ),
  contractBug(
    "the service's time is forgotten with its client",
    {
      file: "test/unit/aws/client.test.ts",
      test: "a client that is made anew knows the service's time from the one before",
    },
    {
      file: "src/aws/client.ts",
      find: "keepClockOffset(client.config, `",
      replace: "String(`",
    },
  ),
  contractBug(
    "refused credentials are kept",
    {
      file: "test/unit/aws/credentials.test.ts",
      test: "credentials that were refused are read anew, and only others are worth another try",
    },
    {
      file: "src/aws/credentials.ts",
      find: "await this.#readAnew().catch(() => undefined);",
      replace: "",
    },
  ),
  contractBug(
    "a source that is being opened is given up at its first throttle",
    { file: "test/unit/aws/call.test.ts", test: "what works at the last try is an answer" },
    { file: "src/aws/call.ts", find: "if (attempt >= tries ||", replace: "if (attempt >= 1 ||" },
  ),
];
