import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nodeZip, pythonZip, ROLE, STREAM, startFunctionRun } from "../../integration/api/function-run.ts";
import { installAwsCli, installPython, runProgram } from "../aws-cli.ts";

const HANG = { timeout: 600_000 };
const BOTO3_VERSION = "1.43.46";
const ARN = "arn:aws:lambda:eu-west-1:000000000000:function:parcels";

test(
  "AWS's command line leads a function from its zip to a weighted alias and a mapping",
  HANG,
  async (t) => {
    const run = await startFunctionRun(t);
    const aws = (await installAwsCli())(run.url);
    const lambda = (command: string, ...words: readonly string[]) => aws.json("lambda", command, ...words);
    const fn = ["--function-name", "parcels"];
    const zip = (mark: string) => {
      const path = join(run.folder, `${mark}.zip`);
      writeFileSync(path, nodeZip(mark));
      return ["--zip-file", `fileb://${path}`];
    };
    const invoke = async (name: string) => {
      const answer = join(run.folder, "answer.json");
      const told = await lambda("invoke", "--function-name", name, "--payload", "{}", answer);
      return told["ExecutedVersion"];
    };

    const created = await lambda(
      "create-function",
      ...[...fn, "--runtime", "nodejs24.x", "--handler", "index.handler", "--role", ROLE, ...zip("one")],
      ...["--timeout", "20", "--memory-size", "256", "--tags", "team=post"],
      ...["--environment", `Variables={OUT=${run.out}}`],
    );
    assert.deepEqual([created["FunctionArn"], created["State"]], [ARN, "Pending"]);
    await lambda("wait", "function-active-v2", ...fn);
    assert.equal(await invoke("parcels"), "$LATEST");
    assert.equal((await lambda("publish-version", ...fn))["Version"], "1");
    await lambda("update-function-code", ...fn, ...zip("two"));
    await lambda("wait", "function-updated-v2", ...fn);
    const two = await lambda("publish-version", ...fn, "--description", "second");
    assert.deepEqual([two["Version"], two["Description"], two["FunctionArn"]], ["2", "second", `${ARN}:2`]);
    const alias = ["--name", "live", ...fn];
    await lambda("create-alias", ...alias, "--function-version", "1");
    assert.equal(await invoke("parcels:live"), "1");
    const routing = ["--routing-config", "AdditionalVersionWeights={2=1}"];
    const weighted = await lambda("update-alias", ...alias, ...routing);
    assert.deepEqual(weighted["RoutingConfig"], { AdditionalVersionWeights: { 2: 1 } });
    assert.equal(await invoke("parcels:live"), "2");
    const stale = await aws.run("lambda", "update-alias", ...alias, "--revision-id", "old");
    assert.match(stale.stderr, /PreconditionFailedException.*The Revision Id provided does not match/);

    const mapping = ["--function-name", `${ARN}:live`, "--event-source-arn", STREAM];
    await lambda("create-event-source-mapping", ...mapping, "--starting-position", "TRIM_HORIZON");
    run.stream.append([{ partitionKey: "a", data: "record" }]);
    await run.until("the record", () => run.lines().includes("record two 2"));

    const provisioned = [...fn, "--qualifier", "live"];
    const concurrent = ["--provisioned-concurrent-executions", "2"];
    await lambda("put-provisioned-concurrency-config", ...provisioned, ...concurrent);
    await run.until("provisioned concurrency", async () => {
      return (await lambda("get-provisioned-concurrency-config", ...provisioned))["Status"] === "READY";
    });
    const { Versions } = await lambda("list-versions-by-function", ...fn);
    assert.equal((Versions as unknown[]).length, 3);
    const layers = await aws.run("lambda", "publish-layer-version", "--layer-name", "x", ...zip("two"));
    assert.match(layers.stderr, /does not serve the operation PublishLayerVersion/);
    await lambda("delete-function", ...fn);
    assert.deepEqual((await lambda("list-functions"))["Functions"], []);
  },
);

/** What a deployment in Python does that knows nothing of millrace. */
const SCRIPT = `
import boto3, json, sys
client = boto3.client("lambda", endpoint_url=sys.argv[1], aws_access_key_id="any", aws_secret_access_key="any")
one, two = open(sys.argv[2], "rb").read(), open(sys.argv[3], "rb").read()
name = "snake"
def call(qualifier=None, **event):
    more = {} if qualifier is None else {"Qualifier": qualifier}
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **more)
    return answer, json.loads(answer["Payload"].read())
client.create_function(FunctionName=name, Runtime="python3.13", Handler="app/main.handler", Role="${ROLE}",
    Code={"ZipFile": one}, Timeout=20, Environment={"Variables": {"SECRET": "sealed"}}, Publish=True)
client.get_waiter("function_active_v2").wait(FunctionName=name)
first = call()[1]
client.update_function_code(FunctionName=name, ZipFile=two, Publish=True)
client.get_waiter("function_updated_v2").wait(FunctionName=name)
client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
aliased, payload = call("live")
failed, error = call(fail=True)
errors = []
for wrong in (lambda: client.get_function(FunctionName="nobody"),
              lambda: client.create_function(FunctionName=name, Runtime="python3.13", Handler="a.b", Role="${ROLE}", Code={"ZipFile": one}),
              lambda: client.update_function_configuration(FunctionName=name, Timeout=5, RevisionId="old"),
              lambda: client.update_function_code(FunctionName=name, ZipFile=b"no zip"),
              lambda: client.update_function_code(FunctionName=name, S3Bucket="bucket", S3Key="k"),
              lambda: client.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")):
    try:
        wrong()
        errors.append("none")
    except Exception as error_:
        errors.append(type(error_).__name__)
pages = [f["FunctionName"] for page in client.get_paginator("list_functions").paginate() for f in page["Functions"]]
settings = client.get_account_settings()["AccountUsage"]
print(json.dumps({"first": first, "version": aliased["ExecutedVersion"], "mark": payload["mark"],
    "failed": failed.get("FunctionError"), "error": [error["errorType"], error["errorMessage"]],
    "errors": errors, "pages": pages, "count": settings["FunctionCount"]}))
`;

test("boto3 leads a function in Python through the same", HANG, async (t) => {
  const run = await startFunctionRun(t);
  const python = await installPython("boto3", BOTO3_VERSION);
  const paths = ["one", "two"].map((mark) => {
    const path = join(run.folder, `${mark}.zip`);
    writeFileSync(path, pythonZip(mark));
    return path;
  });
  const { status, stdout, stderr } = await runProgram(python, ["-c", SCRIPT, run.url, ...paths]);
  assert.equal(status, 0, `${stderr}\n${run.process.stderr}`);
  assert.deepEqual(JSON.parse(stdout), {
    first: {
      mark: "one",
      version: "$LATEST",
      arn: "arn:aws:lambda:eu-west-1:000000000000:function:snake",
      secret: "sealed",
    },
    version: "2",
    mark: "two",
    failed: "Unhandled",
    error: ["ValueError", "told to"],
    errors: [
      "ResourceNotFoundException",
      "ResourceConflictException",
      "PreconditionFailedException",
      "InvalidParameterValueException",
      "InvalidParameterValueException",
      "ProvisionedConcurrencyConfigNotFoundException",
    ],
    pages: ["snake"],
    count: 1,
  });
});
