import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlFault } from "../../../src/control/control-fault.ts";
import { CUT_OFF_MS, GONE_MS } from "../../../src/control/process-life.ts";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { ControlWorld, QUEUE, QUEUE_SPEC, STREAM, STREAM_SPEC } from "./control-world.ts";

const ONE = "00000000-0000-4000-8000-000000000001";
const TWO = "00000000-0000-4000-8000-000000000002";

function isFault(fault: string, message: string) {
  return (error: unknown) => {
    assert(error instanceof ControlFault, String(error));
    assert.deepEqual([error.fault, error.message], [fault, message]);
    return true;
  };
}

const MISSING = isFault("ResourceNotFoundException", "The resource you requested does not exist.");

test("a mapping is Creating until it is polled, and Enabled then", async () => {
  const world = new ControlWorld();
  const { plane, running } = await world.start("a");
  assert.equal((await plane.mappings.create(STREAM_SPEC, true, {})).state, "Creating");
  await world.quiet();
  assert.deepEqual([(await plane.mappings.get(ONE)).state, running()], ["Enabled", [ONE]]);
});

test("a stream's mapping that is not enabled is Creating, a queue's is Disabled at once, and neither is polled", async () => {
  const world = new ControlWorld();
  const { plane, running } = await world.start("a");
  assert.equal((await plane.mappings.create(STREAM_SPEC, false, {})).state, "Creating");
  assert.equal((await plane.mappings.create(QUEUE_SPEC, false, {})).state, "Disabled");
  await world.quiet();
  assert.deepEqual([(await plane.mappings.get(ONE)).state, running()], ["Disabled", []]);
});

test("disabling stops, enabling starts again, and the answers show the states between", async () => {
  const world = new ControlWorld();
  const { plane, running } = await world.start("a");
  await plane.mappings.create(QUEUE_SPEC, true, {});
  await world.quiet();
  assert.equal((await plane.mappings.update(ONE, {}, false)).state, "Disabling");
  await world.quiet();
  assert.deepEqual([(await plane.mappings.get(ONE)).state, running()], ["Disabled", []]);
  assert.equal((await plane.mappings.update(ONE, {}, true)).state, "Enabling");
  await world.quiet();
  assert.deepEqual([(await plane.mappings.get(ONE)).state, running()], ["Enabled", [ONE]]);
});

test("an update shows its values at once, restarts its mapping with them, and leaves others alone", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  await plane.mappings.create(QUEUE_SPEC, true, {});
  await world.quiet();
  world.log.length = 0;
  const updated = await plane.mappings.update(TWO, { batchSize: 5 }, undefined);
  assert.deepEqual([updated.state, updated.resource.mapping.batchSize], ["Updating", 5]);
  await world.quiet();
  assert.equal((await plane.mappings.get(TWO)).state, "Enabled");
  assert.deepEqual(world.log, [`a stops ${TWO}`, `a starts ${TWO}`]);
});

test("a mapping that is not settled can be neither updated nor deleted", async () => {
  const world = new ControlWorld();
  const drained = Promise.withResolvers<void>();
  world.drain = drained.promise;
  const { plane } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  await plane.mappings.update(ONE, {}, false);
  await world.quiet();
  const text = (verb: string) => `Cannot ${verb} the event source mapping because it is in use.`;
  const update = plane.mappings.update(ONE, { batchSize: 1 }, undefined);
  await assert.rejects(update, isFault("ResourceInUseException", text("update")));
  await assert.rejects(plane.mappings.remove(ONE), isFault("ResourceInUseException", text("delete")));
  drained.resolve();
  await world.quiet();
  assert.equal((await plane.mappings.remove(ONE)).state, "Deleting");
});

test("a mapping that drains holds up no other one", async () => {
  const world = new ControlWorld();
  const drained = Promise.withResolvers<void>();
  world.drain = drained.promise;
  const { plane, running } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  await plane.mappings.update(ONE, {}, false);
  await plane.mappings.create(QUEUE_SPEC, true, {});
  await world.quiet();
  assert.deepEqual(running(), [ONE, TWO]);
  drained.resolve();
  await world.quiet();
  assert.equal((await plane.mappings.get(TWO)).state, "Enabled");
});

test("a deleted mapping is stopped, then its checkpoints go, then its row", async () => {
  const world = new ControlWorld();
  const { plane, running } = await world.start("a");
  await plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  await world.progress.initialise(ONE, []);
  const removed: string[] = [];
  world.progress.remove = async (uuid) => {
    assert.deepEqual(running(), []);
    assert.equal((await world.mappings.get(uuid))?.uid, ONE);
    removed.push(uuid);
  };
  assert.equal((await plane.mappings.remove(ONE)).state, "Deleting");
  await world.quiet();
  assert.deepEqual(removed, [ONE]);
  await assert.rejects(plane.mappings.get(ONE), MISSING);
  await assert.rejects(plane.mappings.remove(ONE), MISSING);
  await assert.rejects(plane.mappings.update(ONE, {}, undefined), MISSING);
});

test("a change that a process died over is settled by the next one, after the dead one is gone", async () => {
  for (const change of ["update", "delete"] as const) {
    const world = new ControlWorld();
    const first = await world.start("first");
    await first.plane.mappings.create(STREAM_SPEC, true, {});
    await world.quiet();
    await first.plane.stop();
    const { announce } = world.mappings;
    world.mappings.announce = async (name, version) => {
      if (name !== "first") await announce.call(world.mappings, name, version);
    };
    const row = change === "update" ? { batchSize: 7 } : undefined;
    await (row ? first.plane.mappings.update(ONE, row, undefined) : first.plane.mappings.remove(ONE));
    const second = await world.start("second");
    await world.pass(GONE_MS - 2 * LOOK_MS);
    const unsettled = change === "update" ? "Updating" : "Deleting";
    assert.equal((await second.plane.mappings.get(ONE)).state, unsettled);
    await world.pass(6 * LOOK_MS);
    if (change === "delete") {
      await assert.rejects(second.plane.mappings.get(ONE), MISSING);
      continue;
    }
    const view = await second.plane.mappings.get(ONE);
    assert.deepEqual([view.state, view.resource.mapping.batchSize], ["Enabled", 7]);
  }
});

test("a process that stops is heard of while what it runs comes to its end, and is forgotten then", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("first");
  await plane.stop();
  const beat = async () => (await world.mappings.processes())[0]?.beat ?? 0;
  const before = await beat();
  await world.pass(2 * GONE_MS);
  assert.ok((await beat()) >= before + (2 * GONE_MS) / 3_000, "its beat goes on");
  await plane.forget();
  assert.deepEqual(await world.mappings.processes(), []);
  await world.pass(GONE_MS);
  assert.deepEqual(await world.mappings.processes(), []);
});

test("a change settles when all processes that live have carried it out", async () => {
  const world = new ControlWorld();
  const first = await world.start("first");
  const second = await world.start("second");
  await first.plane.mappings.create(QUEUE_SPEC, true, {});
  await world.quiet();
  assert.equal((await first.plane.mappings.get(ONE)).state, "Creating");
  await world.pass(3 * LOOK_MS);
  assert.equal((await first.plane.mappings.get(ONE)).state, "Enabled");
  const drained = Promise.withResolvers<void>();
  world.drain = drained.promise;
  await second.plane.mappings.update(ONE, {}, false);
  await world.pass(5 * LOOK_MS);
  assert.equal((await second.plane.mappings.get(ONE)).state, "Disabling");
  drained.resolve();
  await world.pass(3 * LOOK_MS);
  assert.equal((await second.plane.mappings.get(ONE)).state, "Disabled");
  assert.deepEqual([first.running(), second.running()], [[], []]);
});

test("a process that cannot reach the store stops its mappings before others take it for gone, and starts them again", async () => {
  const world = new ControlWorld();
  const { plane, running } = await world.start("a");
  await plane.mappings.create(QUEUE_SPEC, true, {});
  await world.quiet();
  const { newestVersion } = world.mappings;
  world.mappings.newestVersion = () =>
    Promise.reject(new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "gone"));
  await world.pass(CUT_OFF_MS - LOOK_MS);
  assert.deepEqual(running(), [ONE]);
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running(), []);
  world.mappings.newestVersion = newestVersion.bind(world.mappings);
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running(), [ONE]);
});

test("a source that goes away leaves the mapping as it is, says so, and is tried again", async () => {
  const world = new ControlWorld();
  const first = await world.start("first");
  await first.plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  await first.plane.stop();
  await first.plane.forget();
  world.missing.add(STREAM);
  const second = await world.start("second");
  const view = await second.plane.mappings.get(ONE);
  assert.equal(view.state, "Enabled");
  assert.match(view.lastProcessingResult, /^PROBLEM: .*gone\./);
  const [unopened, ...others] = second.plane.status();
  assert.deepEqual([unopened?.uuid, unopened?.state, others], [ONE, "Failed", []]);
  assert.match(unopened?.problem ?? "", /gone\./);
  world.missing.delete(STREAM);
  await world.pass(2_000);
  assert.equal(second.plane.status()[0]?.problem, undefined);
  assert.equal((await second.plane.mappings.get(ONE)).lastProcessingResult, "OK");
  assert.deepEqual(second.running(), [ONE]);
});

test("a mapping that is disabled while another process still opens its source is not started there", async () => {
  const world = new ControlWorld();
  const first = await world.start("first");
  await first.plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  const opened = Promise.withResolvers<void>();
  world.opening = opened.promise;
  const second = world.start("second");
  await world.quiet();
  await first.plane.mappings.update(ONE, {}, false);
  await world.pass(2 * LOOK_MS);
  assert.equal((await first.plane.mappings.get(ONE)).state, "Disabling");
  opened.resolve();
  await world.pass(2 * LOOK_MS);
  assert.equal((await first.plane.mappings.get(ONE)).state, "Disabled");
  assert.deepEqual((await second).running(), []);
  assert.deepEqual(world.log, [`first starts ${ONE}`, `first stops ${ONE}`]);
});

test("a lost reply does not make a second mapping or a failure", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const { insert } = world.mappings;
  world.mappings.insert = async (row) => {
    await insert.call(world.mappings, row);
    throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "no answer");
  };
  assert.equal((await plane.mappings.create(QUEUE_SPEC, true, {})).state, "Creating");
  await world.quiet();
  const [only, ...others] = await plane.mappings.list({ eventSourceArn: QUEUE });
  assert.deepEqual([only?.state, others.length], ["Enabled", 0]);
});

test("of two that change a mapping at once, one is told that it is in use", async () => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  await plane.mappings.create(QUEUE_SPEC, true, {});
  await world.quiet();
  const changes = [3, 4].map((batchSize) => plane.mappings.update(ONE, { batchSize }, undefined));
  const results = await Promise.allSettled(changes);
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
});

test("a store of mappings that cannot be read is told of a few times a minute, not once a second", async () => {
  const world = new ControlWorld();
  const store = createMemoryResourceStore();
  await world.start("a", { store });
  store.newestVersion = () => Promise.reject(new Error("No space is left."));
  await world.pass(60_000);
  const told = world.logged.filter((message) =>
    message.startsWith("the store of mappings could not be read"),
  );
  assert.ok(told.length > 0 && told.length <= 6, `${told.length} lines in a minute`);
});
