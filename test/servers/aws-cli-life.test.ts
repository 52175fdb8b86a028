import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createControlRun, LOCAL_STREAM } from "../integration/api/control-run.ts";
import { installAwsCli } from "./aws-cli.ts";

const HANG = { timeout: 600_000 };
const awsCli = await installAwsCli();

test("AWS's command line leads a mapping through its life", HANG, async (t) => {
  const run = await createControlRun(t);
  const stream = run.file.openStream("orders");
  const send = (data: string) => stream.append([{ partitionKey: data, data }]);
  const saw = (data: string) => run.seen.some(({ data: all }) => all.includes(data));
  const control = await run.start();
  const aws = awsCli(control.url);
  const lambda = (command: string, ...words: readonly string[]) => aws.json("lambda", command, ...words);

  const created = await lambda(
    "create-event-source-mapping",
    ...["--function-name", "orders", "--event-source-arn", LOCAL_STREAM],
    ...["--starting-position", "TRIM_HORIZON", "--batch-size", "5", "--tags", "team=one"],
    ...[
      "--filter-criteria",
      '{"Filters":[{"Pattern":"{\\"partitionKey\\":[{\\"anything-but\\":\\"noise\\"}]}"}]}',
    ],
  );
  const uuid = String(created["UUID"]);
  const arn = String(created["EventSourceMappingArn"]);
  assert.deepEqual([created["State"], created["BatchSize"]], ["Creating", 5]);
  await control.settled(uuid, "Enabled");
  send("noise");
  send("first");
  await run.until("the first record", () => saw("first"));

  const got = await lambda("get-event-source-mapping", "--uuid", uuid);
  assert.deepEqual([got["State"], got["LastProcessingResult"]], ["Enabled", "OK"]);
  const input = join(run.folder, "input.json");
  writeFileSync(
    input,
    JSON.stringify({ FunctionName: "other", EventSourceArn: LOCAL_STREAM, StartingPosition: "LATEST" }),
  );
  const second = await lambda(
    "create-event-source-mapping",
    "--no-enabled",
    "--cli-input-json",
    `file://${input}`,
  );
  await control.settled(String(second["UUID"]), "Disabled");
  const page = await lambda("list-event-source-mappings", "--max-items", "1", "--page-size", "1");
  assert.equal((page["EventSourceMappings"] as unknown[]).length, 1);
  const rest = await lambda("list-event-source-mappings", "--starting-token", String(page["NextToken"]));
  assert.equal((rest["EventSourceMappings"] as unknown[]).length, 1);
  const own = await lambda("list-event-source-mappings", "--function-name", "orders");
  assert.deepEqual(
    (own["EventSourceMappings"] as { UUID: string }[]).map(({ UUID }) => UUID),
    [uuid],
  );

  await lambda("tag-resource", "--resource", arn, "--tags", "stage=test");
  await lambda("untag-resource", "--resource", arn, "--tag-keys", "team");
  assert.deepEqual(await lambda("list-tags", "--resource", arn), { Tags: { stage: "test" } });

  const disabled = await lambda("update-event-source-mapping", "--uuid", uuid, "--no-enabled");
  assert.equal(disabled["State"], "Disabling");
  await control.settled(uuid, "Disabled");
  send("while disabled");
  const updated = await lambda(
    "update-event-source-mapping",
    ...["--uuid", uuid, "--batch-size", "7", "--filter-criteria", "{}", "--maximum-retry-attempts", "2"],
  );
  assert.deepEqual(
    [updated["State"], updated["BatchSize"], updated["FilterCriteria"], updated["MaximumRetryAttempts"]],
    ["Updating", 7, undefined, 2],
  );
  await control.settled(uuid, "Disabled");
  assert(!saw("while disabled"));
  await lambda("update-event-source-mapping", "--uuid", uuid, "--enabled");
  await run.until("the record of the pause", () => saw("while disabled"));
  await control.settled(uuid, "Enabled");
  const deleted = await lambda("delete-event-source-mapping", "--uuid", uuid);
  assert.equal(deleted["State"], "Deleting");
  await run.until("the end of the mapping", async () => (await control.list()).length === 1);
  send("after the end");

  const refused = await aws.run("lambda", "get-event-source-mapping", "--uuid", uuid);
  assert.notEqual(refused.status, 0);
  assert.match(
    refused.stderr,
    /\(ResourceNotFoundException\) when calling the GetEventSourceMapping operation: The resource you requested does not exist\./,
  );
  const again = [
    "--function-name",
    "other",
    "--event-source-arn",
    LOCAL_STREAM,
    "--starting-position",
    "LATEST",
  ];
  const conflict = await aws.run("lambda", "create-event-source-mapping", ...again);
  assert.match(conflict.stderr, /\(ResourceConflictException\) .+ provided mapping already exists\./);
  const unknown = await aws.run("lambda", "create-event-source-mapping", ...again.with(1, "nobody"));
  assert.match(unknown.stderr, /\(InvalidParameterValueException\) .+: Function does not exist/);
  assert.deepEqual(
    run.seen.filter(({ fn }) => fn === "orders").flatMap(({ data }) => data),
    ["first", "while disabled"],
  );
});

test("AWS's command line reads functions and invokes them", HANG, async (t) => {
  const run = await createControlRun(t);
  const control = await run.start();
  const aws = awsCli(control.url);
  const functions = await aws.json("lambda", "list-functions");
  assert.deepEqual(
    (functions["Functions"] as { FunctionName: string }[]).map(({ FunctionName }) => FunctionName),
    ["orders", "other"],
  );
  const out = join(run.folder, "out.json");
  const invoked = await aws.json(
    "lambda",
    "invoke",
    "--function-name",
    "orders",
    "--payload",
    '{"a":1}',
    out,
  );
  assert.equal(invoked["StatusCode"], 200);
});
