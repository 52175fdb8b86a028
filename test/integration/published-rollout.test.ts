import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MillraceProcess, until } from "./cli/millrace-process.ts";

const TEMPLATE = `Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: orders
      Runtime: nodejs24.x
      Handler: index.handler
      Timeout: 30
      CodeUri: ./code
      AutoPublishAlias: live
      DeploymentPreference: { Type: !Ref Deployment }
  Deployment:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties:
      ComputePlatform: Lambda
      TrafficRoutingConfig: { Type: TimeBasedCanary, TimeBasedCanary: { CanaryPercentage: 50, CanaryInterval: 60 } }
`;

test("code that changes below a template takes the traffic of its alias over in steps, and the old version stays what it was", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-published-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const code = (answer: string) =>
    writeFileSync(join(folder, "code/index.js"), `exports.handler = async () => "${answer}";\n`);
  mkdirSync(join(folder, "code"));
  code("one");
  writeFileSync(join(folder, "template.yaml"), TEMPLATE);
  const words = ["run", "-f", "template.yaml", "--store", "sqlite:state.db", "--api", "127.0.0.1:0"];
  const run = new MillraceProcess(t, words, folder);
  const api = await run.apiUrlOf();
  const call = async (qualifier: string) => {
    const url = new URL(`/2015-03-31/functions/orders:${qualifier}/invocations`, api);
    return await (await fetch(url, { method: "POST", body: "{}" })).json();
  };
  const rollouts = async () => await (await fetch(new URL("/millrace/v1/rollouts", api))).text();
  assert.deepEqual([await call("live"), await call("1")], ["one", "one"]);

  code("two");
  run.kill("SIGHUP");
  await until(
    async () => (await rollouts()).includes('"InProgress"'),
    () => run.stderr,
  );
  const answers = new Set<unknown>();
  await until(
    async () => answers.add(await call("live")).size === 2,
    () => `only ${[...answers].join(" and ")} was answered: ${run.stderr}`,
  );
  assert.deepEqual([...answers].toSorted(), ["one", "two"]);
  assert.deepEqual([await call("1"), await call("2")], ["one", "two"]);
  run.kill("SIGTERM");
  assert.equal((await run.ended).status, 0);
});
