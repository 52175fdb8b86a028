import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as Lambda from "@aws-sdk/client-lambda";
import { LAMBDA_OPERATIONS } from "../../../src/api/lambda-operations.ts";
import { createApp } from "../../../src/api/server.ts";
import { ControlWorld, STREAM } from "../control/control-world.ts";
import { apiOptions } from "./api-fixture.ts";

const MAPPINGS = "/2015-03-31/event-source-mappings";
const TAGS = "/2017-03-31/tags";
const INVALID = "InvalidParameterValueException";
const MAPPING_ARN = "arn:aws:lambda:eu-west-1:123456789012:event-source-mapping";

async function start(t: TestContext, world = new ControlWorld()) {
  const { plane } = await world.start("a");
  const app = createApp(apiOptions(plane));
  t.after(() => app.close());
  return async (method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: object | string) => {
    const { statusCode, headers, payload } = await app.inject({
      method,
      url,
      headers: { host: "localhost", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    await world.quiet();
    const answer: Record<string, unknown> = payload === "" ? {} : JSON.parse(payload);
    const text = answer["message"] ?? answer["Message"];
    return { status: statusCode, fault: headers["x-amzn-errortype"], text, answer };
  };
}

const CREATE = { FunctionName: "orders", EventSourceArn: STREAM, StartingPosition: "TRIM_HORIZON" };
const DESTINATION = "arn:aws:sqs:eu-west-1:123456789012:failed";

/** What the SDK says of an operation: its schema holds method and path. */
function operationsOfSdk(): readonly (readonly [string, string, string])[] {
  return Object.entries(Lambda)
    .filter(([name]) => name.endsWith("Command") && name !== "$Command")
    .map(([, Command]) => {
      const { schema } = new (Command as new (input: object) => { schema: unknown })({});
      const [, , name, { http }] = schema as [number, string, string, { http: [string, string] }];
      return [name, http[0], http[1].split("?")[0] ?? ""] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

test("knows every operation that the SDK knows", () => {
  assert.deepEqual(LAMBDA_OPERATIONS, operationsOfSdk());
});

test("says of every operation of Lambda's that it does not serve which one that is", async (t) => {
  const ask = await start(t);
  const named = new Set<string>();
  for (const [name, method, path] of LAMBDA_OPERATIONS) {
    const url = path.replaceAll(/\{[A-Za-z]+\+?\}/g, "x");
    const { status, fault, text } = await ask(method as "GET", url);
    if (status !== 501) {
      assert.notEqual(fault, "UnknownOperationException", `${name}: ${status} ${String(text)}`);
      continue;
    }
    assert.equal(fault, "NotImplementedException", name);
    assert.match(String(text), new RegExp(`\\b${name}\\b`));
    named.add(name);
  }
  for (const name of ["AddLayerVersionPermission", "PublishLayerVersion", "ListLayers"]) {
    assert(named.has(name), name);
  }
  assert.equal((await ask("GET", "/2015-03-31/unheard-of")).fault, "UnknownOperationException");
});

test("refuses a failure route without a destination in an update, and keeps the one that is there", async (t) => {
  const ask = await start(t);
  const DestinationConfig = { OnFailure: { Destination: DESTINATION } };
  const { answer } = await ask("POST", MAPPINGS, { ...CREATE, DestinationConfig });
  const url = `${MAPPINGS}/${String(answer["UUID"])}`;
  const refused = await ask("PUT", url, { DestinationConfig: { OnFailure: {} } });
  assert.deepEqual(
    [refused.status, refused.fault, refused.text],
    [400, INVALID, "The Destination field is required for an OnFailure configuration."],
  );
  assert.deepEqual((await ask("GET", url)).answer["DestinationConfig"], DestinationConfig);
  const cleared = await ask("PUT", url, { DestinationConfig: { OnFailure: { Destination: "" } } });
  assert.deepEqual([cleared.status, cleared.answer["DestinationConfig"]], [202, { OnFailure: {} }]);
});

test("takes an empty KMSKeyArn, which clears, and refuses a key", async (t) => {
  const ask = await start(t);
  const { answer } = await ask("POST", MAPPINGS, CREATE);
  const url = `${MAPPINGS}/${String(answer["UUID"])}`;
  assert.equal((await ask("PUT", url, { KMSKeyArn: "", BatchSize: 7 })).answer["BatchSize"], 7);
  const refused = await ask("PUT", url, { KMSKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/x" });
  assert.deepEqual([refused.status, refused.fault], [400, INVALID]);
});

for (const [what, members, place] of [
  [
    "a poller group",
    { ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 2, PollerGroupName: "g" } },
    "ProvisionedPollerConfig.PollerGroupName",
  ],
  [
    "a member of a filter that nobody knows",
    { FilterCriteria: { Filters: [{ Pattern: '{"a":[1]}', Language: "jsonata" }] } },
    "FilterCriteria.Filters.Language",
  ],
  [
    "a member of a destination",
    { DestinationConfig: { OnFailure: { Destination: DESTINATION, Type: "SQS" } } },
    "DestinationConfig.OnFailure.Type",
  ],
] as const) {
  test(`refuses ${what}, which has no effect here, by its place`, async (t) => {
    const ask = await start(t);
    const { status, fault, text } = await ask("POST", MAPPINGS, { ...CREATE, ...members });
    const expected = `Unsupported ${place} parameter for given event source mapping type.`;
    assert.deepEqual([status, fault, text], [400, INVALID, expected]);
  });
}

test("leaves out members inside members that say nothing, as AWS's tools send them", async (t) => {
  const ask = await start(t);
  const { status } = await ask("POST", MAPPINGS, {
    ...CREATE,
    DestinationConfig: { OnFailure: { Destination: DESTINATION, Type: null }, OnSuccess: {} },
    FilterCriteria: { Filters: [{ Pattern: '{"a":[1]}', Language: "" }] },
  });
  assert.equal(status, 202);
});

test("says of a function that is not there what AWS says, with the version that was meant", async (t) => {
  const ask = await start(t);
  const prefix = "Function not found: arn:aws:lambda:eu-west-1:123456789012:function";
  for (const [url, suffix] of [
    ["/2015-03-31/functions/none", "none:$LATEST"],
    ["/2015-03-31/functions/none:7", "none:7"],
    ["/2015-03-31/functions/none?Qualifier=live", "none:live"],
  ]) {
    const { status, fault, text } = await ask("GET", url ?? "");
    assert.deepEqual([status, fault, text], [404, "ResourceNotFoundException", `${prefix}:${suffix}`]);
  }
});

test("says of a name that no function can have that it has not the form of one", async (t) => {
  const ask = await start(t);
  for (const name of ["a%20b", "a.b", "arn:aws:sqs:eu-west-1:123456789012:q", "x".repeat(65)]) {
    const { status, fault, text } = await ask("POST", `/2015-03-31/functions/${name}/invocations`, {});
    assert.deepEqual([status, fault], [400, "ValidationException"], name);
    assert.match(
      String(text),
      /^1 validation error detected: Value '.+' at 'functionName' failed to satisfy/,
    );
  }
  const { status, text } = await ask("GET", "/2015-03-31/functions/orders?Qualifier=a%20b");
  assert.equal(status, 400);
  assert.match(String(text), /at 'qualifier' failed/);
});

test("says of tags whose mapping or function is not there, or that have no ARN, what AWS says", async (t) => {
  const ask = await start(t);
  const unknown = `${MAPPING_ARN}:00000000-0000-4000-8000-00000000ffff`;
  for (const method of ["GET", "POST", "DELETE"] as const) {
    const tagged = async (arn: string) => {
      const url = `${TAGS}/${encodeURIComponent(arn)}${method === "DELETE" ? "?tagKeys=a" : ""}`;
      const { status, fault, text } = await ask(
        method,
        url,
        method === "POST" ? { Tags: { a: "b" } } : undefined,
      );
      return [status, fault, text];
    };
    assert.deepEqual(await tagged(unknown), [
      404,
      "ResourceNotFoundException",
      `Event source mapping not found: ${unknown}`,
    ]);
    const fn = "arn:aws:lambda:eu-west-1:123456789012:function:none";
    assert.deepEqual(await tagged(fn), [404, "ResourceNotFoundException", `Function not found: ${fn}`]);
    const layer = "arn:aws:lambda:eu-west-1:123456789012:layer:l";
    assert.deepEqual((await tagged(layer)).slice(0, 2), [400, INVALID]);
    for (const malformed of [
      "orders",
      "arn:aws:lambda:eu-west-1::event-source-mapping:x",
      `${MAPPING_ARN}:x y`,
    ]) {
      const [status, fault, text] = await tagged(malformed);
      assert.deepEqual([status, fault], [400, "ValidationException"], malformed);
      assert.match(String(text), /at 'resource' failed to satisfy constraint/);
    }
  }
});

test("says of a call that took too long which call it was and how long it may take", async (t) => {
  const world = new ControlWorld();
  world.outcome = { kind: "timedOut" };
  const ask = await start(t, world);
  const { status, answer } = await ask("POST", "/2015-03-31/functions/orders/invocations", {});
  assert.deepEqual([status, answer["errorType"]], [200, "Sandbox.Timedout"]);
  assert.match(
    String(answer["errorMessage"]),
    /^RequestId: [0-9a-f-]{36} Error: Task timed out after 3\.00 seconds$/,
  );
});

test("an Invoke whose payload is no JSON is refused with the beginning of AWS's text", async (t) => {
  const ask = await start(t);
  const url = "/2015-03-31/functions/orders/invocations";
  const { status, fault, text } = await ask("POST", url, "{bad");
  assert.deepEqual([status, fault], [400, "InvalidRequestContentException"]);
  assert.match(
    String(text),
    /^Could not parse request body into json: Could not parse payload into json: Unexpected /,
  );
});
