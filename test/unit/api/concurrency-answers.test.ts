import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createApp } from "../../../src/api/server.ts";
import { ControlWorld } from "../control/control-world.ts";
import { apiOptions } from "./api-fixture.ts";

const FUNCTIONS = "/2015-03-31/functions";
const CONCURRENCY = "/2017-10-31/functions/orders/concurrency";
const ACCOUNT = "/2016-08-19/account-settings";
const RESERVED = "/2019-09-30/functions/orders/concurrency";

async function start(t: TestContext, accountConcurrency?: number, passedMs = 1_000) {
  const world = new ControlWorld();
  const { plane } = await world.start("a", accountConcurrency === undefined ? {} : { accountConcurrency });
  const app = createApp(apiOptions(plane));
  t.after(() => app.close());
  const ask = async (method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: object) => {
    const headers = { host: "localhost", "content-type": "application/json" };
    const payload = JSON.stringify(body ?? {});
    const answer = await app.inject({ method, url, headers, ...(method === "GET" ? {} : { payload }) });
    await world.pass(passedMs);
    const { statusCode: status, headers: given } = answer;
    const version = given["x-amz-executed-version"];
    return {
      status,
      version,
      fault: given["x-amzn-errortype"],
      body: answer.body && JSON.parse(answer.body),
    };
  };
  const invoke = (name = "orders") => ask("POST", `${FUNCTIONS}/${name}/invocations`);
  return { world, ask, invoke };
}

test("a function whose reserved concurrency is 0 answers every Invoke as AWS does, until it may run again", async (t) => {
  const { ask, invoke } = await start(t);
  assert.deepEqual((await invoke()).status, 200);
  const put = await ask("PUT", CONCURRENCY, { ReservedConcurrentExecutions: 0 });
  assert.deepEqual([put.status, put.body], [200, { ReservedConcurrentExecutions: 0 }]);
  const { status, fault, body } = await invoke();
  assert.deepEqual([status, fault], [429, "TooManyRequestsException"]);
  assert.deepEqual(body, {
    Error: { Code: "TooManyRequestsException", Message: "Rate Exceeded." },
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    Type: "User",
    message: "Rate Exceeded.",
  });
  assert.deepEqual((await ask("GET", RESERVED)).body, { ReservedConcurrentExecutions: 0 });
  assert.equal((await ask("DELETE", CONCURRENCY)).status, 204);
  assert.equal((await invoke()).status, 200);
});

test("a concurrency that is set is in force when it is answered", async (t) => {
  const { ask, invoke } = await start(t, undefined, 0);
  assert.equal((await invoke()).status, 200);
  await ask("PUT", CONCURRENCY, { ReservedConcurrentExecutions: 0 });
  assert.equal((await invoke()).status, 429);
  await ask("DELETE", CONCURRENCY);
  assert.equal((await invoke()).status, 200);
});

test("a function that reserves nothing says so", async (t) => {
  const { ask } = await start(t);
  assert.deepEqual((await ask("GET", RESERVED)).body, {});
  assert.equal("Concurrency" in (await ask("GET", `${FUNCTIONS}/orders`)).body, false);
  await ask("PUT", CONCURRENCY, { ReservedConcurrentExecutions: 7 });
  const { Concurrency } = (await ask("GET", `${FUNCTIONS}/orders`)).body;
  assert.deepEqual(Concurrency, { ReservedConcurrentExecutions: 7 });
});

test("concurrency of a version or an alias is refused in AWS's words", async (t) => {
  const { ask } = await start(t);
  const url = CONCURRENCY.replace("orders", "orders:1");
  const { status, fault, body } = await ask("PUT", url, { ReservedConcurrentExecutions: 1 });
  assert.deepEqual([status, fault], [400, "InvalidParameterValueException"]);
  assert.equal(
    body.message,
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
  );
});

test("a function that cannot be opened is not ready, and answers once it can be", async (t) => {
  const { world, invoke } = await start(t);
  world.broken.add("orders");
  const { status, fault } = await invoke();
  assert.deepEqual([status, fault], [502, "ResourceNotReadyException"]);
  world.broken.delete("orders");
  const { status: again, version } = await invoke();
  assert.deepEqual([again, version], [200, "$LATEST"]);
});

test("what a function may reserve leaves a hundred places of the account to all others, as on AWS", async (t) => {
  const { ask } = await start(t, 150);
  const put = (ReservedConcurrentExecutions: number) =>
    ask("PUT", CONCURRENCY, { ReservedConcurrentExecutions });
  const { status, fault, body } = await put(51);
  assert.deepEqual([status, fault], [400, "InvalidParameterValueException"]);
  assert.equal(
    body.message,
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
  );
  assert.equal((await put(50)).status, 200);
  assert.equal((await put(40)).status, 200);
  const { AccountLimit, AccountUsage } = (await ask("GET", ACCOUNT)).body;
  assert.equal(AccountLimit.ConcurrentExecutions, 150);
  assert.equal(AccountLimit.UnreservedConcurrentExecutions, 110);
  assert.ok(AccountUsage.FunctionCount > 0);
});

test("without a bound of the account every function may reserve what it likes", async (t) => {
  const { ask } = await start(t);
  assert.equal((await ask("PUT", CONCURRENCY, { ReservedConcurrentExecutions: 10_000 })).status, 200);
  assert.equal("ConcurrentExecutions" in (await ask("GET", ACCOUNT)).body.AccountLimit, false);
});
