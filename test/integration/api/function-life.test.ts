import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCompleteEvent,
  LambdaClient,
  ListFunctionsCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { nodeZip, pythonZip, ROLE, STREAM, startFunctionRun } from "./function-run.ts";

const credentials = { accessKeyId: "any", secretAccessKey: "any" };

function clientOf(endpoint: string): LambdaClient {
  return new LambdaClient({ region: "eu-west-1", endpoint, credentials, maxAttempts: 1 });
}

async function invoke(client: LambdaClient, FunctionName: string, event: object = {}) {
  const { Payload, ExecutedVersion, FunctionError } = await client.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
  );
  const body = JSON.parse(Payload?.transformToString() ?? "null");
  return { body, version: ExecutedVersion, error: FunctionError };
}

/** What a stream brought, and how it ended. */
async function streamed(client: LambdaClient, FunctionName: string, event: object = {}) {
  const Payload = JSON.stringify(event);
  const { EventStream = [] } = await client.send(
    new InvokeWithResponseStreamCommand({ FunctionName, Payload }),
  );
  const chunks: Uint8Array[] = [];
  let end: InvokeWithResponseStreamCompleteEvent = {};
  for await (const { PayloadChunk, InvokeComplete } of EventStream) {
    if (PayloadChunk?.Payload !== undefined) chunks.push(PayloadChunk.Payload);
    if (InvokeComplete !== undefined) end = InvokeComplete;
  }
  const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
  return [body, end] as const;
}

test("AWS's SDK leads a function in Node from its zip to a weighted alias and a mapping", async (t) => {
  const run = await startFunctionRun(t);
  const client = clientOf(run.url);
  t.after(() => client.destroy());
  const FunctionName = "parcels";
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Role: ROLE,
      Code: { ZipFile: nodeZip("one") },
      Timeout: 20,
      MemorySize: 256,
      Environment: { Variables: { OUT: run.out, SECRET: "sealed" } },
    }),
  );
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 60 }, { FunctionName });
  const arn = "arn:aws:lambda:eu-west-1:000000000000:function:parcels";
  const first = await invoke(client, FunctionName);
  assert.deepEqual(first.body, { mark: "one", version: "$LATEST", arn, secret: "sealed" });
  const failed = await invoke(client, FunctionName, { fail: true });
  assert.deepEqual([failed.error, failed.body.errorMessage], ["Unhandled", "told to"]);

  assert.deepEqual(await streamed(client, FunctionName), [first.body, {}]);
  const [none, end] = await streamed(client, FunctionName, { fail: true });
  assert.deepEqual([none, end.ErrorCode], [undefined, "Unhandled"]);
  assert.equal(JSON.parse(end.ErrorDetails ?? "").errorMessage, "told to");

  const one = await client.send(new PublishVersionCommand({ FunctionName }));
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: nodeZip("two") }));
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 60 }, { FunctionName });
  assert.equal((await invoke(client, FunctionName)).body.mark, "two", "what runs is what was sent last");
  assert.equal((await invoke(client, `${FunctionName}:1`)).body.mark, "one", "a version stays what it was");
  const two = await client.send(new PublishVersionCommand({ FunctionName }));
  assert.deepEqual([one.Version, two.Version], ["1", "2"]);
  const alias = { FunctionName, Name: "live" };
  await client.send(new CreateAliasCommand({ ...alias, FunctionVersion: "1" }));
  assert.deepEqual((await invoke(client, `${FunctionName}:live`)).version, "1");
  const RoutingConfig = { AdditionalVersionWeights: { 2: 1 } };
  await client.send(new UpdateAliasCommand({ ...alias, RoutingConfig }));
  const live = await invoke(client, `${FunctionName}:live`);
  assert.deepEqual([live.version, live.body.mark, live.body.arn], ["2", "two", `${arn}:live`]);

  const mapping = { FunctionName: `${FunctionName}:live`, EventSourceArn: STREAM };
  await client.send(new CreateEventSourceMappingCommand({ ...mapping, StartingPosition: "TRIM_HORIZON" }));
  run.stream.append([{ partitionKey: "a", data: "first" }]);
  await run.until("the record", () => run.lines().includes("first two 2"));
  await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 30 }));

  const again = clientOf(await run.restart());
  t.after(() => again.destroy());
  const { Configuration } = await again.send(new GetFunctionCommand({ FunctionName }));
  assert.deepEqual([Configuration?.Timeout, Configuration?.MemorySize], [30, 256]);
  run.stream.append([{ partitionKey: "a", data: "second" }]);
  await run.until("the record after the restart", () => run.lines().includes("second two 2"));
  const packages = readdirSync(join(run.folder, "packages")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  assert.equal(packages.length, 2, "each package is extracted once");

  await again.send(new DeleteFunctionCommand({ FunctionName }));
  assert.deepEqual((await again.send(new ListFunctionsCommand({}))).Functions, []);
  await assert.rejects(invoke(again, FunctionName), { name: "ResourceNotFoundException" });
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

test("a function in Python runs from its zip, and tells what it throws", { skip: !hasPython }, async (t) => {
  const run = await startFunctionRun(t);
  const client = clientOf(run.url);
  t.after(() => client.destroy());
  await client.send(
    new CreateFunctionCommand({
      FunctionName: "snake",
      Runtime: "python3.13",
      Handler: "app/main.handler",
      Role: ROLE,
      Code: { ZipFile: pythonZip("py") },
      Timeout: 20,
      Environment: { Variables: { SECRET: "sealed" } },
    }),
  );
  const { body } = await invoke(client, "snake");
  const arn = "arn:aws:lambda:eu-west-1:000000000000:function:snake";
  assert.deepEqual(body, { mark: "py", version: "$LATEST", arn, secret: "sealed" });
  const failed = await invoke(client, "snake", { fail: true });
  assert.deepEqual(
    [failed.error, failed.body.errorType, failed.body.errorMessage],
    ["Unhandled", "ValueError", "told to"],
  );
});
