import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestOf } from "../../../src/sam/read-template.ts";
import { read, told } from "./template-samples.ts";

/** A function with this preference, in line 8 and on. */
function template(preference: string, rest = "", alias = "AutoPublishAlias: live"): string {
  return `Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      ${alias}
      DeploymentPreference: ${preference}
  Check:
    Type: AWS::Serverless::Function
    Properties: { Runtime: nodejs24.x, Handler: index.handler, FunctionName: CodeDeployHook_check }
${rest}`;
}

function aliasOf(text: string): unknown {
  const { faults, resources } = read(text);
  assert.deepEqual(faults, []);
  const orders = resources.find(({ name }) => name === "Orders");
  assert.ok(orders);
  const { aliases } = manifestOf(orders).spec as { readonly aliases: Readonly<Record<string, unknown>> };
  return aliases["live"];
}

for (const type of [
  "Canary10Percent5Minutes",
  "Canary10Percent30Minutes",
  "Linear10PercentEvery1Minute",
  "Linear10PercentEvery10Minutes",
  "CodeDeployDefault.LambdaLinear10PercentEvery2Minutes",
]) {
  test(`${type} publishes to the alias, which goes over in its steps`, () => {
    assert.deepEqual(aliasOf(template(`{ Type: ${type} }`)), { publish: true, rollout: { type } });
  });
}

test("AllAtOnce publishes without steps; a preference that is off, or none, leaves the alias at what stands there", () => {
  assert.deepEqual(aliasOf(template("{ Type: AllAtOnce }")), { publish: true });
  assert.deepEqual(aliasOf(template("{ Enabled: false, Type: Canary10Percent5Minutes }")), {
    version: "$LATEST",
  });
  assert.deepEqual(aliasOf(template("!Ref AWS::NoValue")), { version: "$LATEST" });
});

test("hooks become functions of the rollout, whatever its type, and the preference of Globals is everybody's", () => {
  const hooks = "{ PreTraffic: !Ref Check, PostTraffic: !GetAtt Check.Arn }";
  assert.deepEqual(aliasOf(template(`{ Type: AllAtOnce, Hooks: ${hooks} }`)), {
    publish: true,
    rollout: { type: "AllAtOnce", hooks: { before: "CodeDeployHook_check", after: "CodeDeployHook_check" } },
  });
  const globals = template(
    "{ Enabled: true }",
    "Globals: { Function: { DeploymentPreference: { Type: Linear10PercentEvery1Minute } } }\n",
  );
  assert.deepEqual(aliasOf(globals), { publish: true, rollout: { type: "Linear10PercentEvery1Minute" } });
});

test("a configuration that the template makes is the plan, also behind a condition", () => {
  const config = `  Slow:
    Type: AWS::CodeDeploy::DeploymentConfig
    Properties:
      ComputePlatform: Lambda
      TrafficRoutingConfig:
        Type: TimeBasedLinear
        TimeBasedLinear: { LinearPercentage: 20, LinearInterval: 7 }
Conditions: { IsProd: !Equals [a, a] }
`;
  const text = template("{ Type: !If [IsProd, !Ref Slow, AllAtOnce] }", config);
  const plan = { kind: "linear", percent: 20, minutes: 7 };
  assert.deepEqual(aliasOf(text), { publish: true, rollout: { type: plan } });
  assert.deepEqual(told(read(text)), []);
});

test("a configuration in a form that nobody knows is told, and takes the traffic over at once", () => {
  const text = template("{ Type: !Ref Odd }", "  Odd: { Type: AWS::CodeDeploy::DeploymentConfig }\n");
  assert.deepEqual(aliasOf(text), { publish: true });
  assert.deepEqual(told(read(text)), [
    "t.yaml:8:42: Orders.DeploymentPreference: All traffic goes over at once: Odd has no TrafficRoutingConfig that is known. Give Canary10Percent5Minutes, Linear10PercentEvery1Minute or another of their form.",
  ]);
});

test("what a preference says in vain is one remark each", () => {
  const alarm = "  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { MetricName: Errors } }\n";
  const text = template(
    "{ Type: Blue, Alarms: [!Ref Alarm], TriggerConfigurations: [{ TriggerName: t }] }",
    alarm,
  );
  assert.deepEqual(told(read(text)), [
    "t.yaml:8:37: Orders.DeploymentPreference: All traffic goes over at once: there is no ready configuration Blue. Give Canary10Percent5Minutes, Linear10PercentEvery1Minute or another of their form.",
    "t.yaml:8:51: Orders.DeploymentPreference.Alarms: Alarms of CloudWatch are not asked: a version goes back when more than 1 % of its calls fail. Declare other alarms in a manifest.",
    "t.yaml:8:88: Orders.DeploymentPreference: Nobody is notified of a rollout. Watch the log, or the page of rollouts.",
    "t.yaml:12:3: Alarm: AWS::CloudWatch::Alarm is not run here. Make it in AWS, if functions need it.",
  ]);
});

test("a preference without an alias rolls nothing out, and says so", () => {
  const text = template("{ Type: Canary10Percent5Minutes }", "", "MemorySize: 256");
  assert.deepEqual(told(read(text)), [
    "t.yaml:8:29: Orders.DeploymentPreference: Nothing is rolled out: the function has no alias that is published. Give AutoPublishAlias, such as live.",
  ]);
});

test("how asynchronous calls of a published alias are tried again is said beside it, and gives it no version", () => {
  const config = `  Tries:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: { FunctionName: !Ref Orders, Qualifier: live, MaximumRetryAttempts: 1 }
`;
  assert.deepEqual(aliasOf(template("{ Type: Canary10Percent5Minutes }", config)), {
    publish: true,
    rollout: { type: "Canary10Percent5Minutes" },
    eventInvokeConfig: { maximumRetryAttempts: 1 },
  });
});
