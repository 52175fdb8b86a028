import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { lambdaEnvironment } from "../../../src/functions/lambda-environment.ts";

const RUNTIME = {
  path: "/functions/orders.mjs",
  exportName: "handler",
  functionName: "orders",
  memoryMb: 512,
  logGroupName: "/aws/lambda/orders",
  logStreamName: "1/[$LATEST]",
};

/** As an engine has it that reads PostgreSQL, exports traces and reads a topic with a password. */
const ENGINE: Record<string, string> = Object.assign(Object.create({ POLLUTED: "canary" }), {
  PATH: "/bin",
  HOME: "/home/engine",
  TZ: "UTC",
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "canary-key",
  AWS_SECRET_ACCESS_KEY: "canary-secret",
  AWS_WEB_IDENTITY_TOKEN_FILE: "/canary/token",
  AWS_CONTAINER_AUTHORIZATION_TOKEN: "canary-token",
  ORDERS_AWS_ACCESS_KEY_ID: "orders-key",
  ORDERS_AWS_SECRET_ACCESS_KEY: "orders-secret",
  PGPASSWORD: "canary-pg",
  PGPASSFILE: "/canary/pgpass",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=canary",
  KAFKA_SECRET: '{"password":"canary"}',
  DATABASE_URL: "postgres://u:canary@host/db",
  NODE_OPTIONS: "--require=/canary.js",
  MILLRACE_SECRETS_FILE: "/canary/secrets",
  TABLE: "engine's",
});

test("a function sees nothing of the engine's environment but what every function needs", () => {
  const seen = lambdaEnvironment(RUNTIME, {}, ENGINE);
  assert.doesNotMatch(JSON.stringify(seen), /canary|orders-secret|engine/);
  const { PATH, TZ, AWS_REGION, HOME } = seen;
  assert.deepEqual(
    { PATH, TZ, AWS_REGION, HOME },
    { PATH: "/bin", TZ: "UTC", AWS_REGION: "eu-west-1", HOME: tmpdir() },
  );
});

test("a function finds itself in the region of its process, or in that of the AWS variables that it inherits", () => {
  const regionsOf = (given: object) => {
    const { AWS_REGION, AWS_DEFAULT_REGION } = lambdaEnvironment(RUNTIME, given, ENGINE);
    return [AWS_REGION, AWS_DEFAULT_REGION];
  };
  assert.deepEqual(regionsOf({ region: "us-east-1" }), ["us-east-1", "us-east-1"]);
  assert.deepEqual(regionsOf({ region: "us-east-1", credentials: "inherit" }), ["eu-west-1", undefined]);
  assert.deepEqual(regionsOf({}), ["eu-west-1", undefined]);
});

test("a function sees what it was given by name, and no more", () => {
  const given = {
    inheritEnvironment: ["DATABASE_URL", "NOT_SET", "POLLUTED"],
    environment: { TABLE: "own" },
  };
  const seen = lambdaEnvironment(RUNTIME, given, ENGINE);
  assert.equal(seen["DATABASE_URL"], ENGINE["DATABASE_URL"]);
  assert.equal(seen["TABLE"], "own");
  assert.ok(!("NOT_SET" in seen) && !("POLLUTED" in seen));
  assert.equal(seen["PGPASSWORD"], undefined);
});

test("a function has the engine's AWS credentials only when it inherits them", () => {
  const seen = lambdaEnvironment(RUNTIME, { credentials: "inherit" }, ENGINE);
  assert.equal(seen["AWS_SECRET_ACCESS_KEY"], "canary-secret");
  assert.equal(seen["AWS_WEB_IDENTITY_TOKEN_FILE"], "/canary/token");
  assert.equal(seen["HOME"], "/home/engine");
  assert.equal(seen["PGPASSWORD"], undefined);
});

test("a function has credentials of its own from behind a prefix, and never the engine's beside them", () => {
  const seen = lambdaEnvironment(RUNTIME, { credentials: "env:ORDERS_" }, ENGINE);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_CONTAINER_AUTHORIZATION_TOKEN } = seen;
  assert.deepEqual([AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY], ["orders-key", "orders-secret"]);
  assert.equal(AWS_CONTAINER_AUTHORIZATION_TOKEN, undefined);
});

test("Lambda's own variables cannot be taken from the engine's", () => {
  const engine = { AWS_LAMBDA_FUNCTION_NAME: "another", _HANDLER: "another.handler" };
  const given = { credentials: "inherit", inheritEnvironment: ["_HANDLER"] };
  const seen = lambdaEnvironment(RUNTIME, given, engine);
  assert.deepEqual([seen["AWS_LAMBDA_FUNCTION_NAME"], seen["_HANDLER"]], ["orders", "orders.handler"]);
});
