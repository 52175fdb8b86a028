import assert from "node:assert/strict";
import { test } from "node:test";
import { ARN, FunctionApi } from "./function-api.ts";

const RUNTIME = "/2021-07-20/functions/parcels/runtime-management-config";
const SIGNING = "/2020-06-30/functions/parcels/code-signing-config";

test("the runtime of a function is the host's, which is told as Auto, and refused as anything else", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  const shown = await api.ask("GET", RUNTIME);
  assert.deepEqual(
    [shown.status, shown.body],
    [200, { UpdateRuntimeOn: "Auto", FunctionArn: `${ARN}:$LATEST` }],
  );
  const ofVersion = await api.ask("PUT", `${RUNTIME}?Qualifier=1`, { UpdateRuntimeOn: "Auto" });
  assert.deepEqual(
    [ofVersion.status, ofVersion.body],
    [200, { UpdateRuntimeOn: "Auto", FunctionArn: `${ARN}:1` }],
  );
  const RuntimeVersionArn = "arn:aws:lambda:eu-west-1::runtime:any";
  const manual = await api.ask("PUT", RUNTIME, { UpdateRuntimeOn: "Manual", RuntimeVersionArn });
  assert.deepEqual([manual.status, manual.fault], [400, "InvalidParameterValueException"]);
  assert.match(
    manual.text,
    /^UpdateRuntimeOn Manual is not supported by millrace: .* command in a manifest\.$/,
  );
  for (const [given, text] of [
    [{}, "Value null at 'updateRuntimeOn' failed to satisfy constraint: Member must not be null"],
    [
      { UpdateRuntimeOn: "Never" },
      "Value 'Never' at 'updateRuntimeOn' failed to satisfy constraint: Member must satisfy enum value set: [Auto, FunctionUpdate, Manual]",
    ],
  ] as const) {
    const refused = await api.ask("PUT", RUNTIME, given);
    assert.deepEqual([refused.status, refused.text], [400, `1 validation error detected: ${text}`]);
  }
  assert.equal((await api.ask("GET", `${RUNTIME}?Qualifier=9`)).fault, "ResourceNotFoundException");
});

test("nobody signs a function's code, and whoever takes its signing away has nothing to take", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  assert.deepEqual((await api.ask("GET", SIGNING)).body, { FunctionName: "parcels" });
  assert.equal((await api.ask("DELETE", SIGNING)).status, 204);
  const CodeSigningConfigArn =
    "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0";
  const put = await api.ask("PUT", SIGNING, { CodeSigningConfigArn });
  assert.deepEqual([put.status, put.fault], [501, "NotImplementedException"]);
  assert.equal((await api.ask("DELETE", SIGNING.replace("parcels", "gone"))).status, 404);
});

for (const [what, method, url, name, instead] of [
  ["layers", "POST", "/2018-10-31/layers/x/versions", "PublishLayerVersion", /into the function's zip/],
  [
    "signing",
    "POST",
    "/2020-04-22/code-signing-configs",
    "CreateCodeSigningConfig",
    /check signatures before/,
  ],
  [
    "scaling",
    "PUT",
    "/2025-11-30/functions/parcels/function-scaling-config",
    "PutFunctionScalingConfig",
    /scaling\.environments in the function's manifest/,
  ],
  ["hosts", "GET", "/2025-11-30/capacity-providers", "ListCapacityProviders", /millrace's own hosts/],
] as const) {
  test(`an operation of ${what} that is not served says what to do in its place`, async (t) => {
    const api = await FunctionApi.start(t);
    await api.create();
    const { status, text } = await api.ask(method, url, method === "GET" ? undefined : {});
    assert.equal(status, 501);
    assert.ok(text.startsWith(`millrace does not serve the operation ${name} of Lambda's API. `), text);
    assert.match(text, instead);
  });
}

test("tags are taken away by their keys, and without a key nothing is", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Tags: { team: "post" } });
  const url = `/2017-03-31/tags/${encodeURIComponent(ARN)}`;
  const refused = await api.ask("DELETE", url);
  const text =
    "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null";
  assert.deepEqual([refused.status, refused.text], [400, text]);
  assert.equal((await api.ask("DELETE", `${url}?tagKeys=team`)).status, 204);
  assert.deepEqual((await api.ask("GET", url)).body, { Tags: {} });
});
