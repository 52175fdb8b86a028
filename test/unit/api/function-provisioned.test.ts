import assert from "node:assert/strict";
import { test } from "node:test";
import { ARN, FUNCTIONS, FunctionApi } from "./function-api.ts";

const PARCELS = `${FUNCTIONS}/parcels`;
const PROVISIONED = "/2019-09-30/functions/parcels/provisioned-concurrency";
const THREE = { ProvisionedConcurrentExecutions: 3 };

async function published(t: Parameters<typeof FunctionApi.start>[0]): Promise<FunctionApi> {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  await api.ask("POST", `${PARCELS}/aliases`, { Name: "live", FunctionVersion: "1" });
  return api;
}

test("a version keeps environments ready from the moment that it is told to, before anybody calls", async (t) => {
  const api = await published(t);
  const { status, body } = await api.ask("PUT", `${PROVISIONED}?Qualifier=1`, THREE);
  assert.equal(status, 202);
  const { LastModified, ...shape } = body;
  assert.match(String(LastModified), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/);
  assert.deepEqual(shape, {
    RequestedProvisionedConcurrentExecutions: 3,
    AvailableProvisionedConcurrentExecutions: 0,
    AllocatedProvisionedConcurrentExecutions: 0,
    Status: "IN_PROGRESS",
  });
  await api.world.quiet();
  assert.deepEqual(api.world.opened, ["parcels:$LATEST 0", "parcels:1 3"]);
});

test("its state is that of its environments", async (t) => {
  const api = await published(t);
  await api.ask("PUT", `${PROVISIONED}?Qualifier=live`, THREE);
  const state = async (ready: number, isFailing: boolean) => {
    api.world.readiness = { ready, isFailing };
    const { body } = await api.ask("GET", `${PROVISIONED}?Qualifier=live`);
    return [body["Status"], body["AvailableProvisionedConcurrentExecutions"], body["StatusReason"]];
  };
  assert.deepEqual(await state(2, false), ["IN_PROGRESS", 2, undefined]);
  assert.deepEqual(await state(4, false), ["READY", 3, undefined]);
  assert.deepEqual(await state(0, true), ["FAILED", 0, "FUNCTION_ERROR_INIT_FAILURE"]);
});

test("it is listed by the ARN that it was put for, changed, and taken back", async (t) => {
  const api = await published(t);
  await api.ask("PUT", `${PROVISIONED}?Qualifier=live`, THREE);
  await api.ask("PUT", `${PROVISIONED}?Qualifier=live`, { ProvisionedConcurrentExecutions: 2 });
  const { ProvisionedConcurrencyConfigs: all } = (await api.ask("GET", `${PROVISIONED}?List=ALL`)).body;
  assert(Array.isArray(all));
  assert.deepEqual(
    all.map(({ FunctionArn, RequestedProvisionedConcurrentExecutions: n }) => [FunctionArn, n]),
    [[`${ARN}:live`, 2]],
  );
  for (const _again of [1, 2])
    assert.equal((await api.ask("DELETE", `${PROVISIONED}?Qualifier=live`)).status, 204);
  const { status, fault, text } = await api.ask("GET", `${PROVISIONED}?Qualifier=live`);
  assert.deepEqual(
    [status, fault, text],
    [
      404,
      "ProvisionedConcurrencyConfigNotFoundException",
      "No Provisioned Concurrency Config found for this function",
    ],
  );
});

test("what cannot be kept ready is refused in AWS's words", async (t) => {
  const api = await published(t);
  const put = (qualifier: string, body: object = THREE) =>
    api.ask("PUT", `${PROVISIONED}?Qualifier=${qualifier}`, body);
  const latest = await put("$LATEST");
  assert.deepEqual(
    [latest.status, latest.text],
    [400, "Provisioned Concurrency Configs cannot be applied to unpublished function versions."],
  );
  const missing = await put("7");
  assert.deepEqual([missing.status, missing.text], [404, `Function not found: ${ARN}:7`]);
  assert.equal((await api.ask("PUT", PROVISIONED, THREE)).fault, "ValidationException");
  assert.equal((await put("1", { ProvisionedConcurrentExecutions: 0 })).fault, "ValidationException");
  assert.match(
    (await put("1", { ProvisionedConcurrentExecutions: 11 })).text,
    /reserve more by PutFunctionConcurrency/,
  );
  await put("1");
  const alias = await put("live");
  assert.deepEqual(
    [alias.status, alias.text],
    [409, "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"],
  );
  await api.ask("DELETE", `${PROVISIONED}?Qualifier=1`);
  await put("live");
  const version = await put("1");
  assert.deepEqual(
    [version.status, version.text],
    [409, "Version is pointed by a Provisioned Concurrency alias"],
  );
});
