import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { until } from "../cli/millrace-process.ts";
import { FailingWorld } from "./failing-world.ts";
import { FAILURES, KEYS, KILLED, proveKilledRedrive } from "./killed-redrive.ts";

const MESSAGES = 60;
const GROUPS = 7;
const OF = ["--mapping", "orders-queue"];

test("dead letters of a queue are listed, redriven in order of their groups, and are dead again when they fail", async (t) => {
  const world = await FailingWorld.createQueue(t, MESSAGES, GROUPS);
  world.isBroken = false;
  world.breaks = (data) => data === "key-2:9";
  const run = world.run();
  const api = await run.apiUrl();
  const { failures } = await world.json(api, "list", ...OF);
  assert.equal(failures.length, MESSAGES);
  const shown = await world.json(api, "show", failures[0].id, ...OF);
  assert.equal(shown.records[0].record.body, "key-0:0");
  const { plan } = await world.json(api, "redrive", ...OF, "--dry-run");
  assert.deepEqual(
    [plan.failures, plan.records, plan.keys, plan.payload.kept],
    [MESSAGES, MESSAGES, GROUPS, MESSAGES],
  );
  assert.equal(letters(world).length, MESSAGES, "nothing was changed");

  const first = await world.command(api, "redrive", ...OF, "--name", "first");
  assert.equal(first.status, 1, first.stdout + first.stderr);
  const held = Math.ceil((MESSAGES - 2) / GROUPS) - 2;
  await until(
    () => letters(world).length === held + 1,
    () => `${letters(world)}`,
  );
  assert.deepEqual(
    letters(world),
    Array.from({ length: held + 1 }, (_, at) => `key-2:${9 + at * GROUPS}`),
    "the failed one first, and what was behind it",
  );
  const worked = world.worked();
  assert.equal(new Set(worked).size, worked.length, "none twice");
  assert.equal(worked.length, MESSAGES - held - 1);

  world.breaks = () => false;
  const second = await world.command(api, "redrive", ...OF, "--name", "second");
  assert.equal(second.status, 0, second.stdout + second.stderr);
  const all = world.worked();
  assert.deepEqual([new Set(all).size, all.length], [MESSAGES, MESSAGES]);
  for (const [group, own] of Map.groupBy(all, (data) => data.split(":")[0])) {
    const numbers = own.map((data) => Number(data.split(":")[1]));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      group,
    );
  }
  assert.deepEqual(letters(world), []);
});

test(
  `${FAILURES} dead letters of ${KEYS} groups come back in order, none twice, over ten kills`,
  KILLED,
  async (t) => {
    const world = await FailingWorld.createQueue(t, FAILURES, KEYS);
    await proveKilledRedrive(t, world, {
      mapping: "orders-queue",
      // Each group has a place of its own in the list.
      shards: KEYS,
      ready: async () => undefined,
      isAllOver: async () => letters(world).length === 0,
    });
  },
);

test("dead letters go back to their queue, those of one group alone when it is named", async (t) => {
  const world = await FailingWorld.createQueue(t, 21, GROUPS);
  world.isBroken = false;
  const run = world.run();
  const api = await run.apiUrl();
  const some = await world.json(api, "redrive", ...OF, "--to", "source", "--key", "key-3");
  assert.equal(some.moved, 3);
  await until(
    () => world.worked().length === 3,
    () => `${world.worked()}`,
  );
  assert.deepEqual(world.worked(), ["key-3:3", "key-3:10", "key-3:17"]);
  assert.equal((await world.json(api, "redrive", ...OF, "--to", "source")).moved, 18);
  await until(
    () => world.worked().length === 21,
    () => `${world.worked()}`,
  );
  assert.deepEqual(letters(world), []);
});

/** Bodies of the dead letters, as they lie. */
function letters(world: FailingWorld): readonly string[] {
  const file = openStreamFile(join(world.folder, "orders.db"));
  try {
    return file
      .openQueue("dead.fifo")
      .peek(1_000)
      .map(({ body }) => body);
  } finally {
    file.close();
  }
}
