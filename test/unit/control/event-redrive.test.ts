import assert from "node:assert/strict";
import { test } from "node:test";
import { EventRedrive } from "../../../src/control/event-redrive.ts";
import { FailureReaders } from "../../../src/control/failure-readers.ts";
import { eventRow } from "../../../src/failures/event-rows.ts";
import type { NewAsyncItem } from "../../../src/model/async-item.ts";
import type { Accepted, AsyncEvents } from "../../../src/ports/async-events.ts";
import type { FailureReader } from "../../../src/ports/failure-reader.ts";
import { createMemoryFailureIndex } from "../../../src/stores/memory-failures.ts";

const DOCUMENTS: Readonly<Record<string, object>> = {
  "0": { requestContext: { condition: "RetriesExhausted" }, requestPayload: { order: 1 } },
  "1": { ErrorCode: 200, event: { order: 2 } },
  "2": { requestContext: { condition: "EventAgeExceeded" } },
};

function worldOf() {
  const index = createMemoryFailureIndex();
  const accepted: NewAsyncItem[] = [];
  let answer: Accepted | "lost" = "accepted";
  const events: AsyncEvents = {
    async accept(items) {
      if (answer !== "full") accepted.push(...items);
      if (answer === "lost") throw new Error("the process died");
      return answer;
    },
    cursors: async () => new Map(),
  };
  const reader: FailureReader = {
    async read(at) {
      const document = DOCUMENTS[at];
      return document && { document: { ...document }, events: [] };
    },
    async *scan() {},
    close: async () => undefined,
  };
  const redrive = new EventRedrive({
    index,
    readers: new FailureReaders(async ({ kind }) => (kind === "file" ? reader : undefined), []),
    events: () => events,
    hasFunction: (name) => name === "orders",
    clock: { now: () => 1_000 },
  });
  const add = (requestId: string, at: string | undefined, destination = "file:/given-up.jsonl") =>
    index.add([
      eventRow({
        ...{ functionName: "orders", requestId, bytes: 10, atMs: 1, destination, at },
        document: { ...DOCUMENTS[at ?? ""] },
      }),
    ]);
  const states = async () => (await index.list({ max: 10 })).map(({ state }) => state).toSorted();
  const set = (next: typeof answer) => {
    answer = next;
  };
  return { index, accepted, redrive, add, states, set };
}

test("events that were given up are put into their queue again, records and dead letters alike", async () => {
  const { accepted, redrive, add, states } = worldOf();
  await add("r-1", "0");
  await add("r-2", "1");
  assert.equal(await redrive.redrive("orders", {}), 2);
  assert.deepEqual(accepted.map(({ lane, body }) => [lane, Buffer.from(body).toString()]).toSorted(), [
    ["f:orders", '{"order":1}'],
    ["f:orders", '{"order":2}'],
  ]);
  assert.deepEqual(await states(), ["done", "done"]);
  assert.equal(await redrive.redrive("orders", {}), 0, "each once");
});

test("an event that two destinations were told of is one failure", async () => {
  const { accepted, redrive, add } = worldOf();
  await add("r-1", "0");
  await add("r-1", "1");
  assert.equal(await redrive.redrive("orders", {}), 1);
  assert.equal(accepted.length, 1);
});

test("a dry run counts what can be invoked again and what cannot be read, and changes nothing", async () => {
  const { redrive, add, states, accepted } = worldOf();
  await add("r-1", "0");
  await add("r-2", "2");
  await add("r-3", undefined, "arn:aws:sqs:eu-west-1:000000000000:dead");
  assert.deepEqual(await redrive.dryRun("orders", {}), { failures: 3, kept: 1, unreadable: 2 });
  assert.deepEqual([await states(), accepted], [["open", "open", "open"], []]);
});

test("what a full queue refuses is open again, and nobody is told that it was invoked", async () => {
  const { redrive, add, states, set } = worldOf();
  await add("r-1", "0");
  set("full");
  assert.equal(await redrive.redrive("orders", {}), "full");
  assert.deepEqual(await states(), ["open"]);
});

test("after a crash between the queue and the note of it the same is put under the same id", async () => {
  const { redrive, add, states, accepted, set } = worldOf();
  await add("r-1", "0");
  set("lost");
  await assert.rejects(redrive.redrive("orders", {}), /died/);
  assert.deepEqual(await states(), ["redriving"]);
  set("accepted");
  assert.equal(await redrive.redrive("orders", {}), 1);
  assert.equal(new Set(accepted.map(({ id }) => id)).size, 1);
  assert.deepEqual(await states(), ["done"]);
});

test("events of a function that is not there are refused", async () => {
  const { redrive } = worldOf();
  await assert.rejects(redrive.redrive("gone", {}), /There is no function gone/);
});

test("a failure of an event is shown with its payload, and why where there is none", async () => {
  const { redrive, add, index } = worldOf();
  await add("r-1", "0");
  await add("r-2", undefined, "arn:aws:sqs:eu-west-1:000000000000:dead");
  const rows = await index.list({ max: 10 });
  const shown = await Promise.all(rows.map((row) => redrive.show(row)));
  const told = shown.map(({ records, remark }) => records[0]?.record ?? remark);
  assert.deepEqual(
    told.find((each) => typeof each === "object"),
    { order: 1 },
  );
  assert.match(String(told.find((each) => typeof each === "string")), /cannot be read again/);
});
