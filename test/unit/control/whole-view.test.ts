import assert from "node:assert/strict";
import { test } from "node:test";
import type { WholeView } from "../../../src/control/whole-view.ts";
import { type ControlProcess, ControlWorld, STREAM_SPEC } from "./control-world.ts";

/** With time going by for whoever waits. */
async function asked(world: ControlWorld, { plane }: ControlProcess, isPatient = true): Promise<WholeView> {
  const answer = plane.everywhere(isPatient);
  await world.pass(4_000);
  return await answer;
}

function toldOf({ processes }: WholeView) {
  return processes.map(({ snapshot, standing, isHere }) => ({ id: snapshot.processId, standing, isHere }));
}

test("any process says of all what they run, each in its own words", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  const { uuid } = (await a.plane.mappings.create(STREAM_SPEC, true, {})).resource.mapping;
  await world.pass(5_000);
  for (const process of [a, b]) {
    const view = await asked(world, process);
    assert.deepEqual(
      toldOf(view)
        .map(({ id }) => id)
        .sort(),
      ["a", "b"],
    );
    assert.deepEqual(
      view.processes.flatMap(({ snapshot }) =>
        snapshot.mappings.map((mapping) => [mapping.uuid, mapping.state]),
      ),
      [
        [uuid, "Enabled"],
        [uuid, "Enabled"],
      ],
    );
    assert.equal(view.processes[0]?.snapshot.mappings[0]?.source, STREAM_SPEC.eventSourceArn);
    assert(
      view.processes.every(({ ageMs }) => ageMs <= 5_000),
      JSON.stringify(view.processes.map((each) => each.ageMs)),
    );
  }
});

test("a process that was killed keeps its last word: its end is said once its beat stands still, and its word ages", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  await world.start("b");
  await a.plane.mappings.create(STREAM_SPEC, true, {});
  await world.pass(3_000);
  await asked(world, a);
  world.kill("b");
  await world.pass(40_000);
  const view = await asked(world, a);
  assert.deepEqual(toldOf(view), [
    { id: "a", standing: "lives", isHere: true },
    { id: "b", standing: "gone", isHere: false },
  ]);
  const [, b] = view.processes;
  assert(b !== undefined && b.ageMs > 35_000, String(b?.ageMs));
  assert.equal(b.snapshot.mappings.length, 1);
});

test("a process that ended in order has said so with its last word, at once", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  await a.plane.mappings.create(STREAM_SPEC, true, {});
  await world.pass(3_000);
  await b.plane.stop();
  await b.plane.forget();
  const view = await asked(world, a, false);
  assert.deepEqual(toldOf(view)[1], { id: "b", standing: "ended", isHere: false });
  assert.equal(view.processes[1]?.snapshot.mappings[0]?.state, "Enabled", "as it was before the stop");
});

test("a process that nobody asks writes once a minute, one that is asked every two seconds for half a minute", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const written: number[] = [];
  const write = world.snapshots.write.bind(world.snapshots);
  world.snapshots.write = async (snapshot) => {
    if (snapshot.processId === "a") written.push(world.clock.now());
    await write(snapshot);
  };
  await world.pass(180_000);
  assert(written.length >= 2 && written.length <= 3, `${written.length} in three minutes`);
  written.length = 0;
  await a.plane.everywhere(false);
  await world.pass(120_000);
  assert(written.length >= 12 && written.length <= 18, `${written.length} after a question`);
});

test("where the store does not answer a process speaks for itself alone, and says why", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  world.snapshots.read = async () => {
    throw new Error("no route");
  };
  const view = await asked(world, a);
  assert.deepEqual(toldOf(view), [{ id: "a", standing: "lives", isHere: true }]);
  assert.match(view.problem ?? "", /no route/);
});
