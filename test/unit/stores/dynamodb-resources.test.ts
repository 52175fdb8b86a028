import assert from "node:assert/strict";
import { test } from "node:test";
import { openDynamodbResourceStore } from "../../../src/stores/dynamodb-resources.ts";
import { DYNAMODB_LIMITS } from "../../../src/stores/dynamodb-table.ts";
import { rejectsWith } from "../../contract/rejects-with.ts";
import { type Canned, fault, healthy, startCanned } from "./canned-dynamodb.ts";

const LIMITS = { ...DYNAMODB_LIMITS, pauseMs: 1 };
const UUID = "11111111-1111-4111-8111-111111111111";
const OTHER = "22222222-2222-4222-8222-222222222222";
const ROW = { uid: UUID, kind: "mapping", name: UUID, claims: ["a"], document: "{}" };

test("a query that shows a part of a transaction is made again: who saw a version sees all of it", async (t) => {
  // The version is the third's already, its row still the second's; then a row is of the fourth, its version not yet.
  const looks = [[rowItem(UUID, 2)], [rowItem(UUID, 3), rowItem(OTHER, 4)], [rowItem(UUID, 3)]];
  const { actions } = await startCanned(t, (action, body) => {
    if (action === "Query") return { status: 200, body: { Items: looks.shift() } };
    return isVersionRead(action, body) ? versionAnswer(3, UUID, false) : healthy(action);
  });
  const store = await openDynamodbResourceStore("progress", LIMITS);
  assert.deepEqual(await store.list(), [{ ...ROW, version: 3 }]);
  assert.equal(actions.filter((action) => action === "Query").length, 3);
  await store.close();
});

test("a row that was removed and is still shown is not listed", async (t) => {
  const looks = [[rowItem(UUID, 2)], []];
  await startCanned(t, (action, body) => {
    if (action === "Query") return { status: 200, body: { Items: looks.shift() } };
    return isVersionRead(action, body) ? versionAnswer(3, UUID, true) : healthy(action);
  });
  const store = await openDynamodbResourceStore("progress", LIMITS);
  assert.deepEqual(await store.list(), []);
  await store.close();
});

test("a write that another overtook reads again and is made at the next version", async (t) => {
  let version = 7;
  const { actions } = await startCanned(t, (action) => {
    if (action === "TransactGetItems") return seen(version);
    if (action !== "TransactWriteItems") return healthy(action);
    if (version === 9) return { status: 200, body: {} };
    version++;
    return cancelled(["ConditionalCheckFailed", "None", "None", "None"]);
  });
  const store = await openDynamodbResourceStore("progress", LIMITS);
  assert.deepEqual(await store.insert(ROW), { kind: "written", version: 10 });
  assert.equal(actions.filter((action) => action === "TransactWriteItems").length, 3);
  await store.close();
});

test("a write that is always overtaken ends as unavailable, in bounds", async (t) => {
  const { actions } = await startCanned(t, (action) => {
    if (action === "TransactGetItems") return seen(1);
    return action === "TransactWriteItems" ? cancelled(["ConditionalCheckFailed", "None"]) : healthy(action);
  });
  const store = await openDynamodbResourceStore("progress", LIMITS);
  await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.insert(ROW));
  assert.equal(actions.filter((action) => action === "TransactWriteItems").length, 10);
  await store.close();
});

test("a transaction that met another, or was throttled, did nothing and is made again in bounds", async (t) => {
  const refusals = [
    cancelled(["TransactionConflict", "None", "None"]),
    cancelled(["None", "ThrottlingError", "None"]),
    fault("ProvisionedThroughputExceededException"),
  ];
  const { actions } = await startCanned(t, (action) => {
    if (action === "TransactGetItems") return seen(1);
    if (action === "TransactWriteItems") return refusals.shift() ?? { status: 200, body: {} };
    return healthy(action);
  });
  const store = await openDynamodbResourceStore("progress", LIMITS);
  assert.deepEqual(await store.insert(ROW), { kind: "written", version: 2 });
  assert.equal(actions.filter((action) => action === "TransactWriteItems").length, 4);
  await store.close();
});

test("a write that may have taken effect is not made again", async (t) => {
  const { actions } = await startCanned(t, (action) => {
    if (action === "TransactGetItems") return seen(1);
    return action === "TransactWriteItems" ? fault("InternalServerError", 500) : healthy(action);
  });
  const store = await openDynamodbResourceStore("progress", LIMITS);
  await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.insert(ROW));
  assert.equal(actions.filter((action) => action === "TransactWriteItems").length, 1);
  await store.close();
});

function rowItem(uid: string, version: number) {
  return {
    uid: { S: uid },
    kind: { S: "mapping" },
    name: { S: uid },
    version: { N: String(version) },
    claims: { S: '["a"]' },
    document: { S: "{}" },
  };
}

function isVersionRead(action: string, body: string): boolean {
  return action === "GetItem" && JSON.parse(body).Key.item.S === "version";
}

function versionAnswer(version: number, uid: string, isRemoval: boolean): Canned {
  const Item = { version: { N: String(version) }, uid: { S: uid }, isRemoval: { BOOL: isRemoval } };
  return { status: 200, body: { Item } };
}

function seen(version: number): Canned {
  return { status: 200, body: { Responses: [{ Item: { version: { N: String(version) } } }, {}] } };
}

function cancelled(codes: readonly string[]): Canned {
  const canned = fault("TransactionCanceledException");
  return { ...canned, body: { ...canned.body, CancellationReasons: codes.map((Code) => ({ Code })) } };
}
