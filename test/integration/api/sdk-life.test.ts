import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaServiceException,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { createControlRun, LOCAL_QUEUE, LOCAL_STREAM } from "./control-run.ts";

const PATTERN = '{"partitionKey":[{"exists":true}]}';
const STREAM: CreateEventSourceMappingCommandInput = {
  FunctionName: "orders",
  EventSourceArn: LOCAL_STREAM,
  StartingPosition: "TRIM_HORIZON",
};

test("AWS's SDK leads a stream's mapping through its life", async (t) => {
  const run = await createControlRun(t);
  const stream = run.file.openStream("orders");
  const send = (data: string) => stream.append([{ partitionKey: data, data }]);
  const saw = (data: string, times = 1) =>
    run.seen.filter(({ data: all }) => all.includes(data)).length === times;
  send("before");
  const control = await run.start();
  const { client } = control;

  const created = await client.send(new CreateEventSourceMappingCommand(STREAM));
  const { UUID: uuid = "", LastModified, $metadata, ...shape } = created;
  assert.equal($metadata.httpStatusCode, 202);
  assert(LastModified instanceof Date);
  assert.deepEqual(shape, {
    BatchSize: 100,
    BisectBatchOnFunctionError: false,
    DestinationConfig: { OnFailure: {} },
    EventSourceArn: LOCAL_STREAM,
    EventSourceMappingArn: `arn:aws:lambda:eu-west-1:000000000000:event-source-mapping:${uuid}`,
    FunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:orders",
    FunctionResponseTypes: [],
    LastProcessingResult: "No records processed",
    MaximumBatchingWindowInSeconds: 0,
    MaximumRecordAgeInSeconds: -1,
    MaximumRetryAttempts: -1,
    ParallelizationFactor: 1,
    StartingPosition: "TRIM_HORIZON",
    State: "Creating",
    StateTransitionReason: "User action",
    TumblingWindowInSeconds: 0,
  });
  await control.settled(uuid, "Enabled");
  await run.until("the record before the mapping", () => saw("before"));
  await run.until("the last result", async () => (await control.get(uuid)).LastProcessingResult === "OK");

  const disabled = await client.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: false }));
  assert.equal(disabled.State, "Disabling");
  await control.settled(uuid, "Disabled");
  send("while disabled");
  const update = { UUID: uuid, BatchSize: 7, FilterCriteria: { Filters: [{ Pattern: PATTERN }] } };
  const updated = await client.send(new UpdateEventSourceMappingCommand(update));
  assert.deepEqual([updated.State, updated.BatchSize], ["Updating", 7]);
  assert.deepEqual(updated.FilterCriteria, { Filters: [{ Pattern: PATTERN }] });
  await control.settled(uuid, "Disabled");
  const cleared = await client.send(
    new UpdateEventSourceMappingCommand({
      UUID: uuid,
      FilterCriteria: {},
      FunctionName: "other",
      Enabled: true,
    }),
  );
  assert.deepEqual([cleared.State, cleared.FilterCriteria], ["Enabling", undefined]);
  await control.settled(uuid, "Enabled");
  await run.until("the record of the pause", () => saw("while disabled"));
  assert.deepEqual(run.seen, [
    { fn: "orders", data: ["before"] },
    { fn: "other", data: ["while disabled"] },
  ]);

  const deleted = await client.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  assert.equal(deleted.State, "Deleting");
  await run.until("the mapping's end", async () => (await control.list()).length === 0);
  await assert.rejects(control.get(uuid), {
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
  });
  // A new mapping begins at its starting position: the checkpoints went with the old one.
  const again = await client.send(new CreateEventSourceMappingCommand(STREAM));
  await run.until("the first record anew", () => saw("before", 2));
  assert.notEqual(again.UUID, uuid);
});

test("AWS's SDK leads a queue's mapping through its life, with fewer members", async (t) => {
  const run = await createControlRun(t);
  const control = await run.start();
  const { client } = control;
  const created = await client.send(
    new CreateEventSourceMappingCommand({
      FunctionName: "orders",
      EventSourceArn: LOCAL_QUEUE,
      Enabled: false,
      ScalingConfig: { MaximumConcurrency: 5 },
      Tags: { team: "one" },
    }),
  );
  const { UUID: uuid = "", LastModified, $metadata, EventSourceMappingArn: arn, ...shape } = created;
  assert.deepEqual(shape, {
    BatchSize: 10,
    EventSourceArn: LOCAL_QUEUE,
    FunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:orders",
    FunctionResponseTypes: [],
    MaximumBatchingWindowInSeconds: 0,
    ScalingConfig: { MaximumConcurrency: 5 },
    State: "Disabled",
    StateTransitionReason: "USER_INITIATED",
  });
  run.file.openQueue("jobs").send([{ body: "job" }]);
  const enable = { UUID: uuid, Enabled: true, ScalingConfig: {} };
  const enabling = await client.send(new UpdateEventSourceMappingCommand(enable));
  assert.deepEqual([enabling.State, enabling.ScalingConfig], ["Enabling", undefined]);
  await control.settled(uuid, "Enabled");
  await run.until("the job", () => run.seen.some(({ data }) => data.includes("job")));

  await client.send(new TagResourceCommand({ Resource: arn, Tags: { stage: "test" } }));
  const tagged = await client.send(new ListTagsCommand({ Resource: arn }));
  assert.deepEqual(tagged.Tags, { team: "one", stage: "test" });
  await client.send(new UntagResourceCommand({ Resource: arn, TagKeys: ["team"] }));
  assert.deepEqual((await client.send(new ListTagsCommand({ Resource: arn }))).Tags, { stage: "test" });
  assert.equal((await control.get(uuid)).State, "Enabled");
});

test("AWS's SDK knows each error by its name", async (t) => {
  const run = await createControlRun(t);
  const control = await run.start();
  const { client } = control;
  const { UUID: uuid } = await client.send(new CreateEventSourceMappingCommand(STREAM));
  await control.settled(uuid, "Enabled");
  const rejects = async (send: Promise<unknown>, name: string, status: number, message: RegExp | string) => {
    await assert.rejects(send, (error) => {
      assert(error instanceof LambdaServiceException, String(error));
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status], error.message);
      if (typeof message === "string") assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  };
  const create = (input: Partial<CreateEventSourceMappingCommandInput>) =>
    client.send(new CreateEventSourceMappingCommand({ ...STREAM, ...input }));
  const invalid = "InvalidParameterValueException";
  await rejects(create({ EventSourceArn: undefined }), invalid, 400, "Unrecognized event source.");
  await rejects(create({ FunctionName: "nobody" }), invalid, 400, "Function does not exist");
  const missing = LOCAL_STREAM.replace("orders", "nothing");
  await rejects(create({ EventSourceArn: missing }), invalid, 400, `Stream not found: ${missing}`);
  const noQueue =
    /^Error occurred while ReceiveMessage\. SQS Error Code: AWS\.SimpleQueueService\.NonExistentQueue\./;
  const queue = { EventSourceArn: `${LOCAL_QUEUE}-nothing`, StartingPosition: undefined };
  await rejects(create(queue), invalid, 400, noQueue);
  await rejects(create({ BatchSize: 10_001 }), "ValidationException", 400, /^1 validation error detected: /);
  await rejects(
    create({ KMSKeyArn: "arn:aws:kms:eu-west-1:000000000000:key/k" }),
    invalid,
    400,
    /^Unsupported KMSKeyArn/,
  );
  const file = { DestinationConfig: { OnFailure: { Destination: "file:/tmp/x" } } };
  await rejects(create(file), invalid, 400, /^A failure destination is the ARN/);
  const exists = `The event source arn (" ${LOCAL_STREAM} ") and function (" orders ") provided mapping already exists. Please update or delete the existing mapping with UUID ${uuid}`;
  await rejects(create({}), "ResourceConflictException", 409, exists);
  const nobody = { UUID: "00000000-0000-4000-8000-000000000000" };
  const gone = "The resource you requested does not exist.";
  await rejects(
    client.send(new UpdateEventSourceMappingCommand(nobody)),
    "ResourceNotFoundException",
    404,
    gone,
  );
  await rejects(
    client.send(new DeleteEventSourceMappingCommand(nobody)),
    "ResourceNotFoundException",
    404,
    gone,
  );
  await rejects(
    client.send(new GetFunctionCommand({ FunctionName: "nobody" })),
    "ResourceNotFoundException",
    404,
    /^Function not found: arn:aws:lambda:/,
  );
  run.file.openStream("orders").append([{ partitionKey: "hold", data: "hold" }]);
  await run.until("the record that is held", () => run.seen.some(({ data }) => data.includes("hold")));
  await client.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: false }));
  const inUse = (verb: string) => `Cannot ${verb} the event source mapping because it is in use.`;
  const update = client.send(new UpdateEventSourceMappingCommand({ UUID: uuid, BatchSize: 1 }));
  await rejects(update, "ResourceInUseException", 400, inUse("update"));
  const remove = client.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  await rejects(remove, "ResourceInUseException", 400, inUse("delete"));
  run.release();
  await control.settled(uuid, "Disabled");
  assert.equal((await control.list()).length, 1);
});

test("lists come in pages, filtered by source and by function as qualified", async (t) => {
  const run = await createControlRun(t);
  const { client } = await run.start();
  const names = ["orders", "orders:1", "orders:$LATEST", "other"];
  for (const FunctionName of names) {
    await client.send(new CreateEventSourceMappingCommand({ ...STREAM, FunctionName, Enabled: false }));
  }
  const list = (input: {
    MaxItems?: number;
    Marker?: string;
    FunctionName?: string;
    EventSourceArn?: string;
  }) => client.send(new ListEventSourceMappingsCommand(input));
  const seen = new Set<string | undefined>();
  let Marker: string | undefined;
  do {
    const page = await list({ MaxItems: 3, ...(Marker === undefined ? {} : { Marker }) });
    for (const { UUID } of page.EventSourceMappings ?? []) seen.add(UUID);
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  assert.equal(seen.size, 4);
  const counts = async (input: Parameters<typeof list>[0]) => (await list(input)).EventSourceMappings?.length;
  assert.equal(await counts({ FunctionName: "orders" }), 1);
  assert.equal(await counts({ FunctionName: "arn:aws:lambda:eu-west-1:000000000000:function:orders:1" }), 1);
  assert.equal(await counts({ EventSourceArn: LOCAL_STREAM }), 4);
  assert.equal(await counts({ EventSourceArn: LOCAL_QUEUE }), 0);
  await assert.rejects(list({ MaxItems: 0 }), { name: "ValidationException" });
});

test("functions of manifests can be read and invoked", async (t) => {
  const run = await createControlRun(t);
  const { client } = await run.start();
  const { Functions = [] } = await client.send(new ListFunctionsCommand({}));
  assert.deepEqual(
    Functions.map(({ FunctionName }) => FunctionName),
    ["orders", "other"],
  );
  const configuration = await client.send(new GetFunctionConfigurationCommand({ FunctionName: "orders" }));
  assert.deepEqual(
    [configuration.Timeout, configuration.State, configuration.Version],
    [20, "Active", "$LATEST"],
  );
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: "orders" }));
  assert.equal(Configuration?.FunctionArn, "arn:aws:lambda:eu-west-1:000000000000:function:orders");

  const invoke = (
    Payload: string,
    InvocationType: "RequestResponse" | "DryRun" | "Event" = "RequestResponse",
  ) =>
    client.send(new InvokeCommand({ FunctionName: "orders", Payload: Buffer.from(Payload), InvocationType }));
  const answer = await invoke('{"hello":1}');
  assert.deepEqual([answer.StatusCode, answer.Payload?.transformToString()], [200, '{"hello":1}']);
  assert.deepEqual([answer.ExecutedVersion, answer.FunctionError], ["$LATEST", undefined]);
  const failed = await invoke('{"fail":"why"}');
  assert.deepEqual([failed.StatusCode, failed.FunctionError], [200, "Unhandled"]);
  assert.match(failed.Payload?.transformToString() ?? "", /why/);
  assert.equal((await invoke("{}", "DryRun")).StatusCode, 204);
  assert.equal((await invoke("{}", "Event")).StatusCode, 202);
  await assert.rejects(invoke("{"), { name: "InvalidRequestContentException" });
});
