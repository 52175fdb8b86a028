import { type ContractBug, contractBug } from "../contract-bug.ts";

const suite = (name: string, test: string) => ({
  file: `test/servers/dynamodb-${name}.test.ts`,
  test,
  needsServer: true,
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the code that is planted has them.

/** Conditions and reads of the tables that keep progress, rows, redrives and failures; found on DynamoDB Local. */
export const DYNAMODB_BUGS: readonly ContractBug[] = [
  ...redriveBugs(),
  ...failureBugs(),
  ...progressBugs(),
  contractBug(
    "a cell of DynamoDB is swapped whatever was seen",
    suite("cells", "lets exactly one of several swaps of one revision take effect"),
    {
      at: "a-cell-of-dynamodb-is-swapped-whatever-was-seen",
      instead:
        'const AS_SEEN = "(#revision = :seen OR attribute_exists(#revision)) AND attribute_exists(#document)";',
    },
  ),
  contractBug(
    "a claim of DynamoDB goes to whoever asks",
    suite("resources", "refuses a replacement that takes another's claim, and keeps what was"),
    {
      at: "a-claim-of-dynamodb-goes-to-whoever-asks",
      instead:
        "const ConditionExpression = `attribute_not_exists(#uid) OR ${holds} OR attribute_exists(#uid)`;",
    },
  ),
  contractBug(
    "a question of DynamoDB moves the moment back",
    suite("snapshots", "moves forward with every question, also of one whose clock is behind"),
    {
      at: "a-question-of-dynamodb-moves-the-moment-back",
      instead: 'ExpressionAttributeValues: { ":by": { N: String(untilMs - seenMs) } },',
    },
  ),
];

function redriveBugs(): readonly ContractBug[] {
  return [
    contractBug(
      "what is loaded twice is there twice in DynamoDB",
      suite("parking", "has an item once, also where two windows hold it"),
      { at: "what-is-loaded-twice-is-there-twice-in-dynamodb", instead: "" },
    ),
    contractBug(
      "a window of DynamoDB is loaded wherever the redrive is",
      suite("parking", "loads each window once, and only behind the one before"),
      {
        at: "a-window-of-dynamodb-is-begun-wherever-the-redrive-is",
        instead: 'if (redrive.isLoaded || from === null) return "stale";',
      },
      {
        at: "a-window-of-dynamodb-is-filled-wherever-the-redrive-is",
        instead: 'if (seen.redrive.isLoaded) return "stale";',
      },
    ),
    contractBug(
      "a drainer of DynamoDB that was followed still writes",
      suite("parking", "lets the newest drainer of a mapping write, and none before it"),
      {
        at: "a-followed-drainer-of-dynamodb-is-not-seen",
        instead: 'return fence !== undefined && Number(fence["epoch"]?.N) >= epoch;',
      },
      {
        at: "a-followed-drainer-of-dynamodb-is-not-fenced",
        instead: 'ConditionExpression: "#epoch >= :epoch",',
      },
    ),
    contractBug(
      "a redrive of DynamoDB is written over another's write",
      suite("parking", "lets exactly one of several that change a redrive at once have its way"),
      {
        at: "a-redrive-of-dynamodb-is-written-over-anothers-write",
        instead: 'ConditionExpression: "#revision >= :revision",',
      },
    ),
  ];
}

function failureBugs(): readonly ContractBug[] {
  return [
    contractBug(
      "a failure of DynamoDB is written over",
      suite("failures", "leaves a row that is there as it is"),
      {
        at: "a-failure-of-dynamodb-is-written-over",
        instead: "{ Put: { TableName, Item: { ...keyOf(`id#${row.id}`), at: { S: name } } } },",
      },
    ),
    contractBug(
      "rows of failures in DynamoDB are without bound",
      suite("failures", "keeps as many rows as it may, and lets the oldest go"),
      { at: "rows-of-failures-in-dynamodb-are-without-bound", instead: "if (over !== null) return;" },
    ),
    contractBug(
      "a failure of DynamoDB is marked whatever its state",
      suite("failures", "gives each row to one of two that mark at once"),
      {
        at: "a-failure-of-dynamodb-is-marked-whatever-its-state",
        instead: '`#state IN (${Object.keys(states).join(", ")}) OR attribute_exists(#state)` +',
      },
    ),
  ];
}

function progressBugs(): readonly ContractBug[] {
  return [
    contractBug(
      "a former life of DynamoDB is not fenced",
      suite("store", "a new life of the same owner fences its old one"),
      {
        at: "a-former-life-of-dynamodb-is-not-fenced",
        instead: 'const HELD = "#owner = :owner AND #epoch >= :epoch";',
      },
    ),
    contractBug(
      "a lease of DynamoDB is taken though it has moved",
      suite("store", "a lease that has moved since it was seen is not taken"),
      {
        at: "a-lease-of-dynamodb-is-taken-though-it-has-moved",
        instead: 'ConditionExpression: "#epoch >= :epoch AND #counter >= :counter",',
      },
    ),
    contractBug(
      "a checkpoint of DynamoDB goes back",
      suite("store", "never goes back: a revision that is not higher is stale and changes nothing"),
      {
        at: "a-checkpoint-of-dynamodb-goes-back",
        instead: "ConditionExpression: `${HELD} AND (#checkpointEpoch <= :epoch OR #revision < :revision)`,",
      },
    ),
  ];
}

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the same.
