import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { openDynamodbStore } from "../../../src/stores/dynamodb.ts";
import { DYNAMODB_LIMITS } from "../../../src/stores/dynamodb-table.ts";
import { rejectsWith } from "../../contract/rejects-with.ts";
import { CANARY, fault, healthy, startCanned } from "./canned-dynamodb.ts";

const MAPPING = "11111111-1111-4111-8111-111111111111";
const LEASE = { shardId: "a", owner: "one", epoch: 1 };
const LIMITS = { ...DYNAMODB_LIMITS, pauseMs: 1 };

for (const name of [
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "TransactionConflictException",
]) {
  test(`a call that was refused with ${name} did nothing, and is made again`, async (t) => {
    let refusals = 2;
    const { actions } = await startCanned(t, (action) => {
      if (action !== "UpdateItem" || refusals-- === 0) return healthy(action);
      return fault(name);
    });
    const store = await openDynamodbStore("progress", LIMITS);
    assert.deepEqual(await store.renew(MAPPING, LEASE), { kind: "renewed", handoverTo: undefined });
    assert.equal(actions.filter((action) => action === "UpdateItem").length, 3);
    await store.close();
  });
}

test("tries of a throttled call have an end", async (t) => {
  const { actions } = await startCanned(t, (action) =>
    action === "UpdateItem" ? fault("ThrottlingException") : healthy(action),
  );
  const store = await openDynamodbStore("progress", LIMITS);
  const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.renew(MAPPING, LEASE));
  assert.match(error.message, /\(ThrottlingException, HTTP 400\)\. Raise the table's capacity/);
  assert.equal(actions.filter((action) => action === "UpdateItem").length, LIMITS.tries);
  await store.close();
});

test("a call that may have taken effect is not made again: its second time would find its own work in the way", async (t) => {
  const { actions } = await startCanned(t, (action) =>
    action === "UpdateItem" ? fault("InternalServerError", 500) : healthy(action),
  );
  const store = await openDynamodbStore("progress", LIMITS);
  await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.release(MAPPING, LEASE));
  assert.equal(actions.filter((action) => action === "UpdateItem").length, 1);
  await store.close();
  const closed = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.list(MAPPING));
  assert.match(closed.message, /is closed/);
});

test("an answer that never comes ends the call, and is no longer waited for", async (t) => {
  await startCanned(t, (action) => (action === "Query" ? undefined : healthy(action)));
  const store = await openDynamodbStore("progress", { ...LIMITS, answerMs: 200 });
  const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.list(MAPPING));
  assert.match(error.message, /dynamodb:Query did not answer within 200 ms/);
  await store.close();
});

test("a checkpoint whose parts were written between two pages of a read is read again", async (t) => {
  const checkpoint = { ...initialCheckpoint({ kind: "oldest" }), revision: 2 };
  const bytes = gzipSync(JSON.stringify(checkpoint));
  const part = (index: number, version: string) => ({
    item: { S: `part#a#${index}` },
    shardId: { S: "a" },
    version: { S: version },
    index: { N: String(index) },
    bytes: { B: (index === 0 ? bytes.subarray(0, 20) : bytes.subarray(20)).toString("base64") },
  });
  const shard = {
    item: { S: "shard#a" },
    shardId: { S: "a" },
    parents: { S: "[]" },
    owner: { S: "one" },
    epoch: { N: "1" },
    counter: { N: "1" },
    handoverTo: { S: "" },
    checkpointEpoch: { N: "1" },
    revision: { N: "2" },
    checkpoint: { N: "2" },
  };
  const looks = [
    [part(0, "1.1"), part(1, "1.2"), shard],
    [part(1, "1.2"), part(0, "1.2"), shard],
  ];
  const { actions } = await startCanned(t, (action) =>
    action === "Query" ? { status: 200, body: { Items: looks.shift() } } : healthy(action),
  );
  const store = await openDynamodbStore("progress", LIMITS);
  const [progress] = await store.list(MAPPING);
  assert.deepEqual(progress?.checkpoint, checkpoint);
  assert.equal(actions.filter((action) => action === "Query").length, 2);
  await store.close();
});

const REFUSALS: readonly (readonly [action: string, message: RegExp])[] = [
  ["DescribeTable", /dynamodb:DescribeTable failed .* Allow dynamodb:DescribeTable on the table progress/],
  ["CreateTable", /Allow dynamodb:CreateTable, or create the table progress with the keys/],
  ["GetItem", /Allow dynamodb:GetItem on the table progress/],
];

for (const [denied, message] of REFUSALS) {
  test(`without the right to ${denied} the message says what to allow, and shows nothing that was sent`, async (t) => {
    await startCanned(t, (action) => {
      if (action === denied) return fault("AccessDeniedException");
      if (action === "DescribeTable" && denied === "CreateTable") return fault("ResourceNotFoundException");
      return healthy(action);
    });
    const error = await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () =>
      openDynamodbStore("progress", LIMITS),
    );
    assert.match(error.message, message);
    assert.ok(!error.message.includes(CANARY));
  });
}
