import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, CODE, FunctionApi, type Method, OTHER_CODE, ROLE, sha256Of } from "./function-api.ts";

/** As AWS's SDK for Go sends them, which Terraform's provider is built on. */
const HEADERS = {
  "accept-encoding": "identity",
  "amz-sdk-invocation-id": "5e1d4a0e-5d4b-4a6e-9f3d-9d3a9b1c2d3e",
  "amz-sdk-request": "attempt=1; max=25",
  authorization:
    "AWS4-HMAC-SHA256 Credential=test/20261121/eu-west-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
  "user-agent":
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/5.90.0 aws-sdk-go-v2/1.36.0 api/lambda#1.69.0",
  "x-amz-date": "20261121T120000Z",
};
const FUNCTIONS = "/2015-03-31/functions";
const PARCELS = `${FUNCTIONS}/parcels`;

/** `aws_lambda_function` with the arguments that it cannot do without: what is not said is sent empty by an update. */
const CREATE = {
  Architectures: ["x86_64"],
  Code: { ZipFile: CODE.toString("base64") },
  Description: "",
  FunctionName: "parcels",
  Handler: "index.handler",
  MemorySize: 128,
  PackageType: "Zip",
  Publish: false,
  Role: ROLE,
  Runtime: "nodejs22.x",
  Tags: { team: "post" },
  Timeout: 3,
};
const UPDATE = {
  DeadLetterConfig: { TargetArn: "" },
  Description: "changed",
  Environment: { Variables: {} },
  EphemeralStorage: { Size: 512 },
  Handler: "index.handler",
  KMSKeyArn: "",
  Layers: [],
  LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/parcels" },
  MemorySize: 256,
  Role: ROLE,
  Runtime: "nodejs22.x",
  SnapStart: { ApplyOn: "None" },
  Timeout: 9,
  TracingConfig: { Mode: "PassThrough" },
  VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
};

test("the requests of Terraform's provider make, read, change and delete a function and its alias", async (t) => {
  const api = await FunctionApi.start(t);
  const ask = (method: Method, url: string, body?: object) => api.ask(method, url, body, HEADERS);
  const made = async (answer: Promise<Answer>, status: number) => {
    const { status: given, body, text } = await answer;
    assert.equal(given, status, text);
    return body;
  };
  /** What the provider reads after each step, and fails without. */
  const read = async () => {
    await api.settle();
    const { Configuration, Tags } = await made(ask("GET", PARCELS), 200);
    assert(typeof Configuration === "object" && Configuration !== null);
    const signing = await made(ask("GET", "/2020-06-30/functions/parcels/code-signing-config"), 200);
    assert.deepEqual(signing, { FunctionName: "parcels" });
    const loops = await made(ask("GET", "/2024-08-31/functions/parcels/recursion-config"), 200);
    assert.deepEqual(loops, { RecursiveLoop: "Terminate" });
    const { Versions } = await made(ask("GET", `${PARCELS}/versions?MaxItems=10000`), 200);
    assert(Array.isArray(Versions));
    return { configuration: new Map(Object.entries(Configuration)), Tags, versions: Versions.length };
  };

  await made(ask("POST", `${FUNCTIONS}/`, CREATE), 201);
  const created = await read();
  assert.deepEqual(
    ["State", "LastUpdateStatus", "CodeSha256"].map((member) => created.configuration.get(member)),
    ["Active", "Successful", sha256Of(CODE)],
  );
  assert.deepEqual([created.Tags, created.versions], [{ team: "post" }, 1]);

  await made(ask("PUT", `${PARCELS}/configuration`, UPDATE), 200);
  const ZipFile = OTHER_CODE.toString("base64");
  const code = { Architectures: ["x86_64"], DryRun: false, Publish: true, ZipFile };
  assert.equal((await made(ask("PUT", `${PARCELS}/code`, code), 200))["Version"], "1");
  const changed = await read();
  assert.deepEqual(
    ["Description", "MemorySize", "Timeout", "CodeSha256"].map((member) => changed.configuration.get(member)),
    ["changed", 256, 9, sha256Of(OTHER_CODE)],
  );
  assert.equal(changed.versions, 2);

  const alias = { Description: "", FunctionVersion: "1", Name: "live", RoutingConfig: {} };
  await made(ask("POST", `${PARCELS}/aliases`, alias), 201);
  await made(ask("PUT", `${PARCELS}/aliases/live`, { ...alias, Description: "x" }), 200);
  assert.equal((await made(ask("GET", `${PARCELS}/aliases/live`), 200))["Description"], "x");
  const concurrency = "/2017-10-31/functions/parcels/concurrency";
  await made(ask("PUT", concurrency, { ReservedConcurrentExecutions: 2 }), 200);
  await made(ask("DELETE", concurrency), 204);
  await made(ask("DELETE", `${PARCELS}/aliases/live`), 204);
  await made(ask("DELETE", PARCELS), 204);
  assert.equal((await ask("GET", PARCELS)).fault, "ResourceNotFoundException");
});
