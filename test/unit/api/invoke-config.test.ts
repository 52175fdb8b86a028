import assert from "node:assert/strict";
import { test } from "node:test";
import { ARN, FUNCTIONS, FunctionApi } from "./function-api.ts";

const CONFIG = "/2019-09-25/functions/parcels/event-invoke-config";
const QUEUE = "arn:aws:sqs:eu-west-1:123456789012:ok";
const INVALID = "InvalidParameterValueException";
const EMPTY = { OnSuccess: {}, OnFailure: {} };

test("a configuration of events is put, merged, listed and deleted as on AWS", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const put = await api.ask("PUT", CONFIG, { MaximumRetryAttempts: 1 });
  const { LastModified, ...shape } = put.body;
  assert.equal(typeof LastModified, "number");
  assert.deepEqual(
    [put.status, shape],
    [200, { FunctionArn: `${ARN}:$LATEST`, MaximumRetryAttempts: 1, DestinationConfig: EMPTY }],
  );
  const routed = await api.ask("POST", CONFIG, {
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnSuccess: { Destination: QUEUE }, OnFailure: {} },
  });
  assert.deepEqual(routed.body["DestinationConfig"], { OnSuccess: { Destination: QUEUE }, OnFailure: {} });
  assert.deepEqual(
    [routed.body["MaximumRetryAttempts"], routed.body["MaximumEventAgeInSeconds"]],
    [1, 60],
    "what is not given stays",
  );
  const kept = await api.ask("POST", CONFIG, { DestinationConfig: { OnSuccess: {} } });
  assert.deepEqual(kept.body["DestinationConfig"], { OnSuccess: { Destination: QUEUE }, OnFailure: {} });
  const cleared = await api.ask("POST", CONFIG, { DestinationConfig: { OnSuccess: { Destination: "" } } });
  assert.deepEqual(cleared.body["DestinationConfig"], EMPTY);
  const list = await api.ask("GET", `${CONFIG}/list`);
  assert.deepEqual(list.body, { FunctionEventInvokeConfigs: [cleared.body] });
  const replaced = await api.ask("PUT", CONFIG, { MaximumEventAgeInSeconds: 90 });
  assert.equal("MaximumRetryAttempts" in replaced.body, false, "what is not given is gone");
  assert.equal((await api.ask("DELETE", CONFIG)).status, 204);
  const gone = await api.ask("GET", CONFIG);
  assert.deepEqual(
    [gone.status, gone.text],
    [404, `The function ${ARN}:$LATEST doesn't have an EventInvokeConfig`],
  );
});

test("what AWS refuses of it is refused in AWS's words", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const arnOf = (name: string) => `arn:aws:lambda:eu-west-1:123456789012:function:${name}`;
  const failure = (Destination: string) => ({ DestinationConfig: { OnFailure: { Destination } } });
  const role = "arn:aws:iam::123456789012:role/x";
  const rows: readonly (readonly [object, string, string | RegExp])[] = [
    [{}, INVALID, "You must specify at least one of error handling or destination setting."],
    [failure(arnOf("none")), INVALID, `The destination ARN ${arnOf("none")} is invalid.`],
    [failure(ARN), INVALID, "You can't specify the function as a destination for itself."],
    [
      { DestinationConfig: { OnSuccess: { Destination: role } } },
      INVALID,
      `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${role}), onFailure=null) is invalid.`,
    ],
    [failure("x"), "ValidationException", /at 'destinationConfig.onFailure.destination' failed to satisfy/],
    [failure("file:/etc/passwd"), "ValidationException", /regular expression pattern/],
    // A cluster, and secrets of this process, are the operator's to name.
    [failure("kafka://b:9092/t?BASIC_AUTH=env:HOME"), "ValidationException", /regular expression pattern/],
    [failure("kafka://t"), INVALID, /onFailure=OnFailure\(destination=kafka:\/\/t\)\) is invalid/],
    [{ MaximumRetryAttempts: 3 }, "ValidationException", /Member must have value less than or equal to 2/],
    [{ MaximumEventAgeInSeconds: 59 }, "ValidationException", /greater than or equal to 60/],
  ];
  for (const [body, fault, text] of rows) {
    const answer = await api.ask("PUT", CONFIG, body);
    assert.equal(answer.fault, fault, answer.text);
    if (typeof text === "string") assert.equal(answer.text, text);
    else assert.match(String(answer.text), text);
  }
  const other = await api.ask("PUT", CONFIG.replace("parcels", "none"), { MaximumRetryAttempts: 0 });
  assert.deepEqual([other.status, other.text], [404, "The function doesn't exist."]);
  const twice = await api.ask("GET", `${CONFIG.replace("parcels", "parcels:a")}?Qualifier=b`);
  assert.match(String(twice.text), /^The derived qualifier from the function name does not match/);
  const away = CONFIG.replace(
    "parcels",
    encodeURIComponent(arnOf("parcels").replace("eu-west-1", "us-east-1")),
  );
  assert.equal(
    (await api.ask("GET", away)).text,
    "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')",
  );
});

test("a dead-letter queue is kept by an empty structure, and removed by an empty ARN", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ DeadLetterConfig: { TargetArn: QUEUE } });
  const configuration = `${FUNCTIONS}/parcels/configuration`;
  const kept = await api.ask("PUT", configuration, { DeadLetterConfig: {} });
  assert.deepEqual(kept.body["DeadLetterConfig"], { TargetArn: QUEUE });
  const removed = await api.ask("PUT", configuration, { DeadLetterConfig: { TargetArn: "" } });
  assert.equal("DeadLetterConfig" in removed.body, false);
});

test("loops of a function are cut, unless they are allowed", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const url = "/2024-08-31/functions/parcels/recursion-config";
  assert.deepEqual((await api.ask("GET", url)).body, { RecursiveLoop: "Terminate" });
  assert.deepEqual((await api.ask("PUT", url, { RecursiveLoop: "Allow" })).body, { RecursiveLoop: "Allow" });
  assert.deepEqual((await api.ask("GET", url)).body, { RecursiveLoop: "Allow" });
  const odd = await api.ask("PUT", url, { RecursiveLoop: "Sometimes" });
  assert.match(String(odd.text), /'recursiveLoop' failed to satisfy constraint: .*\[Terminate, Allow\]/);
});
