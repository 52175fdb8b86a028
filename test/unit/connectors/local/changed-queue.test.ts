import assert from "node:assert/strict";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { test } from "node:test";
import { bodiesOf, openedQueueFile, receive, receiveBodies } from "./queue-fixture.ts";

function change(path: string, sql: string, ...values: SQLInputValue[]): void {
  const database = new DatabaseSync(path);
  try {
    database.prepare(sql).run(...values);
  } finally {
    database.close();
  }
}

test("a maxReceiveCount that is raised while a local queue is read spares a message that would have been given up", async () => {
  await using opened = openedQueueFile();
  opened.file.createQueue({ name: "dead" });
  const redrive = { deadLetterQueue: "dead", maxReceiveCount: 1 };
  const queue = opened.file.createQueue({ name: "orders", redrive });
  const source = opened.source("orders");
  queue.send([{ body: "m1" }]);
  await source.release(await receive(source), 0);
  change(opened.path, "UPDATE queue SET receive_count_max = 5 WHERE name = 'orders'");
  assert.deepEqual(await receiveBodies(source), ["m1"]);
});

test("a redrive policy that is given to a local queue while it is read moves what was received often enough", async () => {
  await using opened = openedQueueFile();
  const dead = opened.file.createQueue({ name: "dead" });
  const queue = opened.file.createQueue({ name: "orders" });
  const source = opened.source("orders");
  queue.send([{ body: "m1" }]);
  await source.release(await receive(source), 0);
  const sql =
    "UPDATE queue SET receive_count_max = 1, dead_letter_queue = (SELECT id FROM queue WHERE name = 'dead') WHERE name = 'orders'";
  change(opened.path, sql);
  assert.deepEqual(await receiveBodies(source), []);
  assert.deepEqual(
    dead.peek(10).map(({ body }) => body),
    ["m1"],
  );
});

test("a retention that is shortened while a local queue is read ends messages that are older", async () => {
  await using opened = openedQueueFile();
  const queue = opened.file.createQueue({ name: "orders" });
  const source = opened.source("orders");
  assert.deepEqual(await receiveBodies(source), []);
  queue.send([{ body: "old" }]);
  opened.clock.ms += 60_000;
  queue.send([{ body: "new" }]);
  change(opened.path, "UPDATE queue SET retention_ms = 30000 WHERE name = 'orders'");
  assert.deepEqual(await receiveBodies(source), ["new"]);
});

const DAMAGES: readonly (readonly [what: string, sql: string])[] = [
  ["a time that no number holds", "UPDATE message_content SET sent_ms = 9223372036854775807 WHERE id = ?"],
  ["attributes that are no JSON", "UPDATE message_content SET attributes = '[[' WHERE id = ?"],
  ["attributes that are no list", "UPDATE message_content SET attributes = '{}' WHERE id = ?"],
  ["no contents", "DELETE FROM message_content WHERE id = ?"],
  [
    "a receive count that no number holds",
    "UPDATE message SET receive_count = 9007199254740993 WHERE id = ?",
  ],
  [
    "a first receive that no number holds",
    "UPDATE message SET first_received_ms = 9007199254740993 WHERE id = ?",
  ],
];
for (const kind of ["orders", "orders.fifo"]) {
  for (const [what, sql] of DAMAGES) {
    test(`a message with ${what} is damaged, and its neighbours are given: ${kind}`, async () => {
      await using opened = openedQueueFile();
      const queue = opened.file.createQueue({ name: kind });
      const groups = (groupId: string) => (kind === "orders" ? {} : { groupId });
      queue.send([
        { body: "a1", ...groups("a") },
        { body: "b1", ...groups("b") },
        { body: "c1", ...groups("c") },
      ]);
      change(opened.path, sql, 2);
      const source = opened.source(kind);
      const given = await receive(source);
      const [damaged, ...others] = given.filter(({ damage }) => damage !== undefined);
      assert.deepEqual(others, []);
      assert.equal(damaged?.groupId, kind === "orders" ? undefined : "b");
      const sound = given.filter(({ damage }) => damage === undefined);
      assert.deepEqual(bodiesOf(source, sound).toSorted(), ["a1", "c1"]);
      assert.deepEqual(await source.acknowledge(given), ["settled", "settled", "settled"]);
    });
  }
}

test("a message whose visibility no number holds stays hidden, and hides no other", async () => {
  await using opened = openedQueueFile();
  const queue = opened.file.createQueue({ name: "orders" });
  queue.send([{ body: "a1" }, { body: "b1" }]);
  change(opened.path, "UPDATE message SET visible_ms = 9223372036854775807 WHERE id = 1");
  const source = opened.source("orders");
  assert.deepEqual(await receiveBodies(source), ["b1"]);
  assert.deepEqual(await receiveBodies(source), []);
});
