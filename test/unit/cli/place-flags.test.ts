import assert from "node:assert/strict";
import { test } from "node:test";
import { readPlace } from "../../../src/cli/place-flags.ts";
import { lambdaArnPrefix } from "../../../src/model/place.ts";

const NO_FLAGS = new Map();

test("a process is in the region and account that its flags say, before those of its environment", () => {
  const environment = { AWS_REGION: "eu-west-1", AWS_ACCOUNT_ID: "111111111111" };
  assert.deepEqual(readPlace(NO_FLAGS, { environment }), { region: "eu-west-1", account: "111111111111" });
  const flags = new Map([
    ["region", ["ap-south-1"]],
    ["account", ["222222222222"]],
  ]);
  assert.deepEqual(readPlace(flags, { environment }), { region: "ap-south-1", account: "222222222222" });
});

test("a process that is given neither region nor account, or empty ones, is in us-east-1 and an account of zeros", () => {
  const nowhere = { region: "us-east-1", account: "000000000000" };
  assert.deepEqual(readPlace(NO_FLAGS, { environment: {} }), nowhere);
  assert.deepEqual(readPlace(NO_FLAGS, { environment: { AWS_REGION: "", AWS_ACCOUNT_ID: " " } }), nowhere);
});

for (const [name, flags, environment, told] of [
  [
    "a region that is none",
    new Map([["region", ["eu west 1"]]]),
    {},
    /^--region is "eu west 1"\. Give a region/,
  ],
  ["a region of the environment that is none", NO_FLAGS, { AWS_REGION: "EU:1" }, /^AWS_REGION is "EU:1"\./],
  [
    "an account that is none",
    new Map([["account", ["12345"]]]),
    {},
    /^--account is "12345"\. Give the 12 digits/,
  ],
  [
    "an account of the environment that is none",
    NO_FLAGS,
    { AWS_ACCOUNT_ID: "me" },
    /^AWS_ACCOUNT_ID is "me"\./,
  ],
] as const)
  test(`${name} is refused by its name`, () => {
    assert.throws(() => readPlace(flags, { environment }), { code: "ERR_MILLRACE_CONFIG", message: told });
  });

test("ARNs lie in the partition of their region", () => {
  const account = "123456789012";
  assert.equal(lambdaArnPrefix({ region: "eu-west-1", account }), `arn:aws:lambda:eu-west-1:${account}:`);
  assert.equal(
    lambdaArnPrefix({ region: "cn-north-1", account }),
    `arn:aws-cn:lambda:cn-north-1:${account}:`,
  );
  assert.equal(
    lambdaArnPrefix({ region: "us-gov-west-1", account }),
    `arn:aws-us-gov:lambda:us-gov-west-1:${account}:`,
  );
});
