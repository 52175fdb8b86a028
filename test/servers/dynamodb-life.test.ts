import { after, test } from "node:test";
import { leadLife } from "../integration/api/mapping-life.ts";
import { createCliClient } from "./aws-cli-client.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { createTable, useEndpoint } from "./dynamodb-stream-fixture.ts";

const server = await startDynamodbLocal();
useEndpoint(server.endpoint);
after(() => server.close());

const CALLERS = [
  { caller: "AWS's SDK", connect: undefined },
  { caller: "AWS's command line", connect: createCliClient },
];

for (const { caller, connect } of CALLERS)
  test(`${caller} leads a mapping of a table's stream through its life`, { timeout: 600_000 }, async (t) => {
    const table = await createTable();
    t.after(() => table.drop());
    const { streamArn } = table;
    const timed = { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: new Date(0) } as const;
    await leadLife(
      t,
      {
        members: { EventSourceArn: streamArn, StartingPosition: "TRIM_HORIZON" },
        stateTransitionReason: "User action",
        isStream: true,
        existing: `The event source arn (" ${streamArn} ") and function (" orders ") provided mapping already exists.`,
        missing: {
          members: { ...timed, FunctionName: "orders:4" },
          message: /^Unsupported starting position for arn type: arn:aws:dynamodb:/,
        },
        send: (data) => table.put({ pk: { S: data } }),
      },
      connect,
    );
  });
