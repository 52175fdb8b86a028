import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { zipOf } from "../../fixtures/zip.ts";
import { ROLE, STREAM, startFunctionRun } from "./function-run.ts";

const CODE = `
const { appendFileSync } = require("node:fs");
const seen = (handler, context) => ({
  handler,
  stage: process.env.STAGE,
  memory: Number(context.memoryLimitInMB),
  isLong: context.getRemainingTimeInMillis() > 60_000,
});
const handle = (handler) => async (event, context) => {
  if (event.hang) await new Promise((resolve) => setTimeout(resolve, 3_600_000));
  if (event.Records !== undefined) appendFileSync(process.env.OUT, JSON.stringify(seen(handler, context)) + "\\n");
  return seen(handler, context);
};
exports.first = handle("first");
exports.second = handle("second");
`;
const OF_VERSION = { handler: "first", stage: "one", memory: 256, isLong: false };
const OF_LATEST = { handler: "second", stage: "two", memory: 320, isLong: true };

test("a published version keeps its time-out, memory, variables and handler, whoever calls it and by which name", async (t) => {
  const run = await startFunctionRun(t);
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({ region: "eu-west-1", endpoint: run.url, credentials, maxAttempts: 1 });
  t.after(() => client.destroy());
  const FunctionName = "parcels";
  const variables = (STAGE: string) => ({ Environment: { Variables: { OUT: run.out, STAGE } } });
  await client.send(
    new CreateFunctionCommand({
      ...{ FunctionName, Runtime: "nodejs24.x", Role: ROLE, Timeout: 2, MemorySize: 256 },
      ...{ Handler: "index.first", Code: { ZipFile: zipOf([{ name: "index.js", content: CODE }]) } },
      ...variables("one"),
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName });
  await client.send(new PublishVersionCommand({ FunctionName }));
  await client.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  await client.send(
    new UpdateFunctionConfigurationCommand({
      ...{ FunctionName, Timeout: 900, MemorySize: 320, Handler: "index.second" },
      ...variables("two"),
    }),
  );
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 60 }, { FunctionName });

  const answered = async (Qualifier: string, event: object = {}) => {
    const call = new InvokeCommand({ FunctionName, Qualifier, Payload: JSON.stringify(event) });
    return JSON.parse((await client.send(call)).Payload?.transformToString() ?? "null");
  };
  assert.deepEqual(await answered("$LATEST"), OF_LATEST);
  assert.deepEqual(await answered("1"), OF_VERSION);
  assert.deepEqual(await answered("live"), OF_VERSION);
  for (const qualifier of ["1", "live"]) {
    const { errorType, errorMessage } = await answered(qualifier, { hang: true });
    assert.equal(errorType, "Sandbox.Timedout");
    assert.match(errorMessage, /Task timed out after 2\.00 seconds$/);
  }
  const shown = await client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: "live" }));
  assert.deepEqual(
    [shown.Timeout, shown.MemorySize, shown.Handler, shown.Environment?.Variables?.["STAGE"]],
    [2, 256, "index.first", "one"],
  );

  await client.send(
    new CreateEventSourceMappingCommand({
      ...{ FunctionName: `${FunctionName}:live`, EventSourceArn: STREAM },
      ...{ StartingPosition: "TRIM_HORIZON", BatchSize: 10 },
    }),
  );
  run.stream.append([{ partitionKey: "any", data: "{}" }]);
  await run.until("the mapping calls the version", () => run.lines().length > 0);
  assert.deepEqual(JSON.parse(run.lines()[0] ?? "{}"), OF_VERSION);
});
