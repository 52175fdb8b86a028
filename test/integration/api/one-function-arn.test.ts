import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  GetFunctionCommand,
  InvokeCommand,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { createControlRun, LOCAL_STREAM } from "./control-run.ts";

const PLACE = ["--region", "sa-east-1", "--account", "123456789012"];
const ARN = "arn:aws:lambda:sa-east-1:123456789012:function:teller";

/** Its answer, and its error, is the ARN that it was invoked by. */
const TELLER = `import { appendFileSync } from "node:fs";
export const handler = async (event, { invokedFunctionArn }) => {
  if (event.Records === undefined) return invokedFunctionArn;
  appendFileSync(process.env.SEEN, invokedFunctionArn + "\\n");
  throw new Error(invokedFunctionArn);
};
`;

test("a function has one ARN over sources of several regions, calls, answers, contexts and failure records", async (t) => {
  const run = await createControlRun(t);
  const path = (name: string) => join(run.folder, name);
  writeFileSync(path("teller.mjs"), TELLER);
  writeFileSync(
    path("functions.yaml"),
    `${readFileSync(path("functions.yaml"), "utf8")}---
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: teller }
spec: { module: { path: teller.mjs, isolation: thread, environment: { SEEN: "${path("seen.txt")}" } } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: teller-stream }
spec:
  functionName: teller
  eventSourceArn: ${LOCAL_STREAM}
  endpoints: { LOCAL_FILE: [orders.db] }
  startingPosition: TRIM_HORIZON
  maximumRetryAttempts: 0
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }
`,
  );
  run.file.openStream("orders").append([{ partitionKey: "k", data: "x" }]);
  run.file.openQueue("jobs").send([{ body: "job" }]);
  const { client, process } = await run.start(...PLACE);

  const { EventSourceMappings: [ofStream] = [] } = await client.send(
    new ListEventSourceMappingsCommand({ EventSourceArn: LOCAL_STREAM }),
  );
  const ofQueue = await client.send(
    new CreateEventSourceMappingCommand({
      // As another account's template would name it.
      FunctionName: "arn:aws:lambda:us-west-2:999999999999:function:teller",
      EventSourceArn: "arn:aws:local:ap-south-1:888888888888:queue/jobs",
    }),
  );
  assert.deepEqual([ofStream?.FunctionArn, ofQueue.FunctionArn], [ARN, ARN]);
  assert.equal(
    ofQueue.EventSourceMappingArn,
    `arn:aws:lambda:sa-east-1:123456789012:event-source-mapping:${ofQueue.UUID}`,
  );
  assert.deepEqual(
    (await client.send(new ListTagsCommand({ Resource: ofQueue.EventSourceMappingArn }))).Tags,
    {},
  );

  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: "teller" }));
  const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
  const listed = Functions.find(({ FunctionName }) => FunctionName === "teller");
  assert.deepEqual([Configuration?.FunctionArn, listed?.FunctionArn], [ARN, ARN]);
  const answer = await client.send(new InvokeCommand({ FunctionName: "teller" }));
  assert.equal(JSON.parse(Buffer.from(answer.Payload ?? []).toString()), ARN);
  await assert.rejects(client.send(new GetFunctionCommand({ FunctionName: "nobody" })), {
    message: "Function not found: arn:aws:lambda:sa-east-1:123456789012:function:nobody:$LATEST",
  });

  await process.logged("discarded records were delivered to the failure destination");
  const record = JSON.parse(readFileSync(path("failed.jsonl"), "utf8").split("\n", 1)[0] ?? "");
  assert.equal(record.requestContext.functionArn, ARN);
  const seen = () => readFileSync(path("seen.txt"), "utf8").trim().split("\n");
  await run.until("an invocation of each mapping", () => seen().length >= 2);
  assert.deepEqual([...new Set(seen())], [ARN]);
});
