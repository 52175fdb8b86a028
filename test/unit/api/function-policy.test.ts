import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionApi } from "./function-api.ts";

const PARCELS = "/2015-03-31/functions/parcels";
const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:parcels";
const BUCKET = {
  StatementId: "bucket",
  Action: "lambda:InvokeFunction",
  Principal: "s3.amazonaws.com",
  SourceArn: "arn:aws:s3:::inbox",
  SourceAccount: "123456789012",
};

test("a permission is kept and shown as AWS shows it, and removed by its id", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({});
  assert.deepEqual(await told(api, "GET", `${PARCELS}/policy`), [
    404,
    "ResourceNotFoundException",
    "The resource you requested does not exist.",
  ]);
  const { status, body } = await api.ask("POST", `${PARCELS}/policy`, BUCKET);
  assert.equal(status, 201);
  const statement = {
    Sid: "bucket",
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: ARN,
    Condition: {
      StringEquals: { "AWS:SourceAccount": "123456789012" },
      ArnLike: { "AWS:SourceArn": "arn:aws:s3:::inbox" },
    },
  };
  assert.equal(body["Statement"], JSON.stringify(statement));
  const shown = await api.ask("GET", `${PARCELS}/policy`);
  const policy = { Version: "2012-10-17", Id: "default", Statement: [statement] };
  assert.equal(shown.body["Policy"], JSON.stringify(policy));
  assert.deepEqual(await told(api, "POST", `${PARCELS}/policy`, BUCKET), [
    409,
    "ResourceConflictException",
    "The statement id (bucket) provided already exists. Please provide a new statement id, or remove the existing statement.",
  ]);
  const revision = String(shown.body["RevisionId"]);
  const stale = await told(api, "DELETE", `${PARCELS}/policy/bucket?RevisionId=x`);
  assert.deepEqual(stale.slice(0, 2), [412, "PreconditionFailedException"]);
  assert.equal((await api.ask("DELETE", `${PARCELS}/policy/bucket?RevisionId=${revision}`)).status, 204);
  assert.deepEqual(await told(api, "DELETE", `${PARCELS}/policy/bucket`), [
    404,
    "ResourceNotFoundException",
    "No policy is associated with the given resource.",
  ]);
});

test("a version and an alias have policies of their own, which go with them", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  await api.ask("POST", `${PARCELS}/aliases`, { Name: "live", FunctionVersion: "1" });
  const account = { StatementId: "other", Action: "lambda:*", Principal: "123456789012" };
  for (const qualifier of ["1", "live"]) {
    const { body } = await api.ask("POST", `${PARCELS}/policy?Qualifier=${qualifier}`, account);
    const { Principal, Resource } = JSON.parse(String(body["Statement"]));
    assert.deepEqual(Principal, { AWS: "arn:aws:iam::123456789012:root" });
    assert.equal(Resource, `${ARN}:${qualifier}`);
  }
  assert.equal((await api.ask("GET", `${PARCELS}/policy`)).status, 404);
  const missing = await told(api, "DELETE", `${PARCELS}/policy/none?Qualifier=live`);
  assert.equal(missing[2], "Statement none is not found in resource policy.");
  await api.ask("DELETE", `${PARCELS}/aliases/live`);
  await api.ask("POST", `${PARCELS}/aliases`, { Name: "live", FunctionVersion: "1" });
  assert.equal((await api.ask("GET", `${PARCELS}/policy?Qualifier=live`)).status, 404);
  assert.equal((await api.ask("GET", `${PARCELS}/policy?Qualifier=9`)).status, 404);
});

test("publishing copies no policy, and a policy is no change that could be published", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  await api.ask("POST", `${PARCELS}/policy`, BUCKET);
  const { body } = await api.ask("POST", `${PARCELS}/versions`, {});
  assert.equal(body["Version"], "1");
  await api.ask("PUT", `${PARCELS}/configuration`, { Description: "another" });
  await api.ask("POST", `${PARCELS}/versions`, {});
  assert.equal((await api.ask("GET", `${PARCELS}/policy?Qualifier=2`)).status, 404);
});

test("what cannot be a permission is refused in AWS's words", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({});
  for (const [given, text] of [
    [{ StatementId: "a.b" }, /Value 'a\.b' at 'statementId' .* pattern: \(\[a-zA-Z0-9-_\]\+\)$/],
    [
      { Action: "GetFunction" },
      /Value 'GetFunction' at 'action' .*\(lambda:\[\*\]\|lambda:\[a-zA-Z\]\+\|\[\*\]\)$/,
    ],
    [{ Principal: "invalid.nonaws.com" }, /^The provided principal was invalid\. Please check the principal/],
    [
      { Principal: undefined },
      /Value null at 'principal' failed to satisfy constraint: Member must not be null$/,
    ],
    [{ FunctionUrlAuthType: "X" }, /Value 'X' at 'functionUrlAuthType' .*\[NONE, AWS_IAM\]$/],
  ] as const) {
    const [status, , message] = await told(api, "POST", `${PARCELS}/policy`, { ...BUCKET, ...given });
    assert.equal(status, 400);
    assert.match(message, text);
  }
  assert.deepEqual(await told(api, "POST", `${PARCELS}/policy?Qualifier=$LATEST`, BUCKET), [
    400,
    "InvalidParameterValueException",
    "We currently do not support adding policies for $LATEST.",
  ]);
  const missing = await told(api, "POST", "/2015-03-31/functions/nope/policy", BUCKET);
  assert.deepEqual(missing.slice(0, 2), [404, "ResourceNotFoundException"]);
});

test("a policy that would become too long is refused, and stays as it is", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({});
  const long = `arn:aws:s3:::${"b".repeat(1_000)}`;
  const add = (index: number) =>
    told(api, "POST", `${PARCELS}/policy`, { ...BUCKET, StatementId: `s${index}`, SourceArn: long });
  const answers = [];
  for (let index = 0; index < 20; index++) answers.push(await add(index));
  const refused = answers.filter(([status]) => status !== 201);
  assert.ok(refused.length > 0);
  for (const [status, fault, text] of refused) {
    assert.deepEqual([status, fault], [400, "PolicyLengthExceededException"]);
    assert.match(text, /^The final policy size \(\d+\) is bigger than the limit \(20480\)\.$/);
  }
  const { body } = await api.ask("GET", `${PARCELS}/policy`);
  assert.equal(JSON.parse(String(body["Policy"])).Statement.length, 20 - refused.length);
});

async function told(api: FunctionApi, method: "GET" | "POST" | "DELETE", url: string, given?: object) {
  const { status, fault, text } = await api.ask(method, url, given);
  return [status, fault, String(text)] as const;
}
