import assert from "node:assert/strict";
import { test } from "node:test";
import { variablesOf } from "../../../../src/functions/runtime/runtime-variables.ts";

const DESCRIPTION = {
  functionName: "orders",
  version: "7",
  handler: "app.handler",
  executionName: "AWS_Lambda_python3.13",
  invocationsMax: 1,
  memoryMb: 256,
  codeFolder: "/code",
  layerFolders: ["/layers/1", "/layers/2"],
  logGroupName: "/aws/lambda/orders",
  logStreamName: "2026/01/12/[7]0123",
  compileCache: undefined,
};
const ORDER = { apiAddress: "127.0.0.1:9001", folder: "/environment", isProvisioned: false };
const ENGINE = {
  PATH: "/bin",
  PGPASSWORD: "canary",
  AWS_SECRET_ACCESS_KEY: "canary",
  HOME: "/home/millrace",
};

test("a process sees Lambda's variables and its own folder, and nothing of the engine's that it was not given", () => {
  const variables = variablesOf(DESCRIPTION, ORDER, ENGINE);
  assert.doesNotMatch(JSON.stringify(variables), /canary/);
  const { AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_FUNCTION_VERSION, _HANDLER, LAMBDA_TASK_ROOT, HOME, TMPDIR } =
    variables;
  assert.deepEqual(
    [AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_FUNCTION_VERSION, _HANDLER, LAMBDA_TASK_ROOT, HOME, TMPDIR],
    ["127.0.0.1:9001", "7", "app.handler", "/code", "/environment", "/environment"],
  );
  assert.equal(variables["AWS_EXECUTION_ENV"], "AWS_Lambda_python3.13");
  const own = variablesOf({ ...DESCRIPTION, executionName: undefined }, ORDER, ENGINE);
  assert.ok(!("AWS_EXECUTION_ENV" in own), "a runtime of its own has none");
});

test("what the function sets stands before what the machine says, and never before what is reserved", () => {
  const environment = { PATH: "/own", TZ: "Europe/Berlin", AWS_LAMBDA_RUNTIME_API: "127.0.0.1:1" };
  const { PATH, TZ, AWS_LAMBDA_RUNTIME_API } = variablesOf({ ...DESCRIPTION, environment }, ORDER, ENGINE);
  assert.deepEqual([PATH, TZ, AWS_LAMBDA_RUNTIME_API], ["/own", "Europe/Berlin", "127.0.0.1:9001"]);
});

test("layers are found behind what the machine has, the last one first", () => {
  const { PATH, NODE_PATH, PYTHONPATH } = variablesOf(DESCRIPTION, ORDER, ENGINE);
  assert.equal(PATH, "/bin:/layers/2/bin:/layers/1/bin");
  assert.equal(NODE_PATH, "/layers/2/nodejs/node_modules:/layers/1/nodejs/node_modules:/code");
  assert.equal(PYTHONPATH, "/layers/2/python:/layers/1/python:/layers/2:/layers/1");
});
