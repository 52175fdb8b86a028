import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Answer, CREATE, FUNCTIONS, FunctionApi, OTHER_CODE } from "./function-api.ts";

const PATH = "/millrace/v1/rollouts";
const ALIAS = `${FUNCTIONS}/parcels/aliases/live`;

/** A function with versions 1 and 2, and the alias live of version 1. */
async function start(t: TestContext): Promise<FunctionApi> {
  const api = await FunctionApi.start(t);
  await api.ask("POST", FUNCTIONS, CREATE);
  await api.ask("POST", `${FUNCTIONS}/parcels/versions`, {});
  await api.ask("PUT", `${FUNCTIONS}/parcels/code`, { ZipFile: OTHER_CODE.toString("base64") });
  const second = await api.ask("POST", `${FUNCTIONS}/parcels/versions`, {});
  assert.equal(second.body["Version"], "2");
  await api.ask("POST", `${FUNCTIONS}/parcels/aliases`, { Name: "live", FunctionVersion: "1" });
  return api;
}

async function codeDeploy(api: FunctionApi, operation: string, body: object): Promise<Answer> {
  const headers = {
    "x-amz-target": `CodeDeploy_20141006.${operation}`,
    "content-type": "application/x-amz-json-1.1",
  };
  const response = await api.inject("POST", "/", body, headers);
  const read = JSON.parse(response.body) as Record<string, unknown>;
  return {
    status: response.statusCode,
    fault: response.headers["x-amzn-errortype"],
    text: String(read["message"] ?? ""),
    body: read,
  };
}

function specOf(target: string, current = "1"): string {
  return `version: 0.0
Resources:
  - parcels:
      Type: AWS::Lambda::Function
      Properties: { Name: parcels, Alias: live, CurrentVersion: "${current}", TargetVersion: "${target}" }
`;
}

function deployment(content: string, config = "CodeDeployDefault.LambdaCanary10Percent5Minutes"): object {
  const revision = { revisionType: "AppSpecContent", appSpecContent: { content } };
  return { applicationName: "shop", deploymentGroupName: "g", deploymentConfigName: config, revision };
}

test("a rollout tells why it stands, and is told among the former ones once another has begun", async (t) => {
  const api = await start(t);
  const alarms = { iteratorAgeMs: 60_000, errorRate: 0.5 };
  const begun = await api.ask("POST", PATH, { function: "parcels", alias: "live", version: "2", alarms });
  const id = String(begun.body["id"]);
  await api.world.pass(3_000);
  const { body } = await api.ask("GET", `${PATH}/${id}`);
  const text = body["text"] as string[];
  assert.equal(text[0], "Version 2 has 10 % of the traffic of parcels:live: step 1 of 2.");
  assert.match(
    text[1] ?? "",
    /^It stands there because of this: The next step has its time\. .* due in \d+ s\.$/,
  );
  assert.deepEqual(
    (body["events"] as { share: number }[]).map(({ share }) => share),
    [0, 0.1],
  );
  const [point] = body["points"] as object[];
  assert.deepEqual(Object.keys(point ?? {}).toSorted(), [
    ...["atMs", "calls", "failed", "formerCalls", "formerFailed", "share"],
  ]);
  await api.ask("POST", `${PATH}/${id}/stop`, {});
  await api.ask("POST", PATH, { function: "parcels", alias: "live", version: "2" });
  const { former } = (await api.ask("GET", PATH)).body as { former: { id: string; status: string }[] };
  assert.deepEqual(
    former.map((event) => [event.id, event.status]),
    [
      [id, "InProgress"],
      [id, "InProgress"],
      [id, "Stopped"],
    ],
  );
});

test("a rollout is started, shown as weights of its alias, listed, and stopped", async (t) => {
  const api = await start(t);
  const begun = await api.ask("POST", PATH, { function: "parcels", alias: "live", version: "2" });
  assert.equal(begun.status, 201);
  const id = String(begun.body["id"]);
  assert.match(id, /^d-[A-Z0-9]{9}$/);
  const shown = await api.ask("GET", `${PATH}/${id}`);
  assert.deepEqual((shown.body["text"] as string[])[0], "Version 2 has no traffic of parcels:live yet.");
  await api.world.pass(3_000);
  const alias = (await api.ask("GET", ALIAS)).body;
  assert.deepEqual(
    [alias["FunctionVersion"], alias["RoutingConfig"]],
    ["1", { AdditionalVersionWeights: { "2": 0.1 } }],
  );
  const moved = await api.ask("PUT", ALIAS, { FunctionVersion: "2" });
  assert.deepEqual([moved.status, moved.fault], [409, "ResourceConflictException"]);
  assert.equal((await api.ask("PUT", ALIAS, { Description: "for people" })).status, 200);
  const stopped = await api.ask("POST", `${PATH}/${id}/stop`, {});
  assert.deepEqual([stopped.body["status"], stopped.body["share"]], ["Stopped", 0]);
  assert.equal((await api.ask("GET", ALIAS)).body["RoutingConfig"], undefined);
  const listed = (await api.ask("GET", PATH)).body["rollouts"] as { readonly id: string }[];
  assert.deepEqual(
    listed.map((each) => each.id),
    [id],
  );
  assert.equal((await api.ask("POST", `${PATH}/${id}/stop`, {})).status, 409);
});

test("an alias that its rollout took back goes where it is pointed next, also to the same version", async (t) => {
  const api = await start(t);
  const begun = await api.ask("POST", PATH, { function: "parcels", alias: "live", version: "2" });
  await api.world.pass(3_000);
  await api.ask("POST", `${PATH}/${String(begun.body["id"])}/stop`, {});
  await api.ask("PUT", ALIAS, { Description: "for people" });
  assert.equal((await api.ask("GET", ALIAS)).body["FunctionVersion"], "1");
  await api.ask("PUT", ALIAS, { FunctionVersion: "2" });
  assert.equal((await api.ask("GET", ALIAS)).body["FunctionVersion"], "2");
});

for (const [what, body, status] of [
  ["without an alias", { function: "parcels", version: "2" }, 400],
  ["of an unknown plan", { function: "parcels", alias: "live", version: "2", type: "Slowly" }, 400],
  [
    "of a plan beyond its bounds",
    { function: "parcels", alias: "live", version: "2", type: { kind: "canary", percent: 200, minutes: 5 } },
    400,
  ],
  [
    "of an alarm that there is not",
    { function: "parcels", alias: "live", version: "2", alarms: { sadness: 1 } },
    400,
  ],
  ["to a version that there is not", { function: "parcels", alias: "live", version: "7" }, 404],
  ["to a name", { function: "parcels", alias: "live", version: "next" }, 400],
  [
    "with a hook that there is not",
    { function: "parcels", alias: "live", version: "2", hooks: { before: "nobody" } },
    404,
  ],
] as const) {
  test(`a rollout ${what} is refused`, async (t) => {
    const api = await start(t);
    assert.equal((await api.ask("POST", PATH, body)).status, status);
    assert.deepEqual((await api.ask("GET", PATH)).body["rollouts"], []);
  });
}

test("CodeDeploy's calls lead a deployment from an AppSpec to its stop", async (t) => {
  const api = await start(t);
  const created = await codeDeploy(api, "CreateDeployment", deployment(specOf("2")));
  const deploymentId = String(created.body["deploymentId"]);
  assert.equal(created.status, 200);
  await api.world.pass(3_000);
  const shown = await codeDeploy(api, "GetDeployment", { deploymentId });
  const info = shown.body["deploymentInfo"] as Record<string, unknown>;
  assert.deepEqual(
    [info["status"], info["computePlatform"], info["deploymentId"]],
    ["InProgress", "Lambda", deploymentId],
  );
  assert.deepEqual((await codeDeploy(api, "ListDeployments", {})).body, { deployments: [deploymentId] });
  const stopped = await codeDeploy(api, "StopDeployment", { deploymentId });
  assert.equal(stopped.body["status"], "Succeeded");
  const again = await codeDeploy(api, "StopDeployment", { deploymentId });
  assert.deepEqual([again.status, again.body["__type"]], [400, "DeploymentAlreadyCompletedException"]);
  const alias = (await api.ask("GET", ALIAS)).body;
  assert.deepEqual([alias["FunctionVersion"], alias["RoutingConfig"]], ["1", undefined]);
});

test("an AppSpec as JSON, all at once, leaves its alias at the new version", async (t) => {
  const api = await start(t);
  const Properties = { Name: "parcels", Alias: "live", CurrentVersion: "1", TargetVersion: "2" };
  const content = JSON.stringify({
    version: 0,
    Resources: [{ f: { Type: "AWS::Lambda::Function", Properties } }],
  });
  await codeDeploy(api, "CreateDeployment", deployment(content, "CodeDeployDefault.LambdaAllAtOnce"));
  await api.world.pass(3_000);
  assert.equal((await api.ask("GET", ALIAS)).body["FunctionVersion"], "2");
});

for (const [what, operation, body, type] of [
  ["an AppSpec that is none", "CreateDeployment", deployment("version: 0.0"), "InvalidRevisionException"],
  ["an AppSpec that is no YAML", "CreateDeployment", deployment("{"), "InvalidRevisionException"],
  [
    "an AppSpec of another current version",
    "CreateDeployment",
    deployment(specOf("1", "2")),
    "InvalidRevisionException",
  ],
  ["a revision in S3", "CreateDeployment", { revision: { revisionType: "S3" } }, "InvalidRevisionException"],
  [
    "an unknown configuration",
    "CreateDeployment",
    deployment(specOf("2"), "Slowly"),
    "DeploymentConfigDoesNotExistException",
  ],
  [
    "a deployment that there is not",
    "GetDeployment",
    { deploymentId: "d-AAAAAAAAA" },
    "DeploymentDoesNotExistException",
  ],
  ["an operation that is not built", "CreateApplication", {}, "NotImplementedException"],
] as const) {
  test(`CodeDeploy's ${operation} refuses ${what} by ${type}`, async (t) => {
    const api = await start(t);
    const answer = await codeDeploy(api, operation, body);
    assert.equal(answer.body["__type"], type);
  });
}
