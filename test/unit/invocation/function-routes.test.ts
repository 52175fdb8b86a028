import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionRoutes } from "../../../src/invocation/function-routes.ts";
import { UnopenedTarget } from "../../../src/invocation/unopened-target.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
const OPEN: FunctionTarget = { invoke: async () => ({ kind: "timedOut" }), close: async () => {} };
const TIMED = { timeoutMs: 3_000 };
const BROKEN = new UnopenedTarget("It throws when it is loaded.");

function createRoutes(latest: FunctionTarget = OPEN) {
  const routes = new FunctionRoutes({
    ...TIMED,
    target: latest,
    versionTimeoutsMs: new Map([["3", 60_000]]),
    versions: new Map([
      ["2", OPEN],
      ["3", OPEN],
      ["4", BROKEN],
    ]),
    aliases: new Map([
      ["live", { version: "2", weights: new Map([["3", 1]]) }],
      ["next", { version: "$LATEST", weights: new Map() }],
      ["half", { version: "2", weights: new Map([["4", 1]]) }],
      ["rising", { version: "4", weights: new Map([["2", 0.5]]) }],
      ["broken", { version: "4", weights: new Map() }],
    ]),
  });
  const versionOf = (qualifier: string) => {
    const route = routes.of(ARN + qualifier, { requestId: "00000000-" });
    return typeof route === "string" ? route : route.version;
  };
  return { routes, versionOf };
}

test("the qualifier of the function's ARN picks the version", () => {
  const { versionOf } = createRoutes();
  assert.equal(versionOf(""), "$LATEST");
  assert.equal(versionOf(":$LATEST"), "$LATEST");
  assert.equal(versionOf(":3"), "3");
  assert.equal(versionOf(":live"), "3");
  assert.equal(versionOf(":next"), "$LATEST");
});

test("a call has the time-out of the version that it goes to, and a version without one that of the function", () => {
  const { routes } = createRoutes();
  const timeoutOf = (qualifier: string) => {
    const route = routes.of(ARN + qualifier, { requestId: "00000000-" });
    return typeof route === "string" ? route : route.timeoutMs;
  };
  assert.deepEqual(["", ":2", ":3", ":live", ":next"].map(timeoutOf), [3_000, 3_000, 60_000, 60_000, 3_000]);
});

test("a version that is not there is no such function, and one that could not be opened is not ready", () => {
  const { routes, versionOf } = createRoutes();
  assert.deepEqual([versionOf(":9"), routes.shut(`${ARN}:9`)], ["noSuchFunction", "noSuchFunction"]);
  assert.deepEqual([versionOf(":4"), routes.shut(`${ARN}:broken`)], ["notReady", "notReady"]);
  assert.equal(routes.problem(`${ARN}:broken`), "It throws when it is loaded.");
});

test("an alias is shut only when none of its versions can run", () => {
  const { routes, versionOf } = createRoutes();
  assert.deepEqual([versionOf(":half"), routes.shut(`${ARN}:half`)], ["notReady", undefined]);
  assert.equal(routes.shut(`${ARN}:rising`), undefined);
});

test("a version runs though the function itself cannot be opened", () => {
  const { versionOf } = createRoutes(BROKEN);
  assert.deepEqual([versionOf(""), versionOf(":2")], ["notReady", "2"]);
});

test("a function without versions and aliases runs whatever its name is qualified by", () => {
  const routes = new FunctionRoutes({ ...TIMED, target: OPEN });
  const route = { version: "$LATEST", target: OPEN, timeoutMs: 3_000 };
  assert.deepEqual(routes.of(`${ARN}:anything`, { requestId: "1" }), route);
  assert.equal(new FunctionRoutes({ ...TIMED, target: BROKEN }).shut(`${ARN}:anything`), "notReady");
});
