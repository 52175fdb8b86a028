import assert from "node:assert/strict";
import { test } from "node:test";
import type { MappingResource } from "../../../src/manifests/resources.ts";
import { type ControlProcess, ControlWorld, FUNCTIONS, STREAM_SPEC } from "./control-world.ts";

async function explained(world: ControlWorld, { plane }: ControlProcess, uuid: string) {
  const answer = plane.explain(uuid, undefined);
  await world.pass(3_000);
  const { reasons, text } = await answer;
  return { codes: reasons.map(({ code }) => code), facts: reasons[0]?.facts, text };
}

test("a mapping that is disabled says so, and is none of those that are not fine", async () => {
  const world = new ControlWorld();
  const process = await world.start("a");
  const { uuid } = (await process.plane.mappings.create(STREAM_SPEC, false, {})).resource.mapping;
  await world.pass(5_000);
  const { codes, text } = await explained(world, process, uuid);
  assert.deepEqual(codes, ["disabled"]);
  assert.match(text.join("\n"), /because {2}it is disabled[^\n]*\n {4}do {7}millrace mappings enable UUID/);
  const all = process.plane.explainAll();
  await world.pass(3_000);
  assert.deepEqual((await all).text, ["The one mapping is fine."]);
});

test("a change that another process has not carried out says which one is waited for", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  await world.start("b");
  const { uuid } = (await a.plane.mappings.create(STREAM_SPEC, true, {})).resource.mapping;
  await world.pass(5_000);
  world.kill("b");
  await a.plane.mappings.update(uuid, { batchSize: 7 }, undefined);
  await world.pass(1_500);
  const { codes, facts } = await explained(world, a, uuid);
  assert.deepEqual([codes, facts], [["updating"], { process: "b" }]);
});

test("a mapping of a manifest that the store has as the API's says that its manifest is not what runs", async () => {
  const world = new ControlWorld();
  const first = await world.start("a");
  const { resource } = await first.plane.mappings.create(STREAM_SPEC, true, {});
  await world.pass(5_000);
  const mappings: readonly MappingResource[] = [resource];
  const second = await world.start("b", { manifests: { functions: FUNCTIONS, mappings } });
  await world.pass(5_000);
  const { codes } = await explained(world, second, resource.mapping.uuid);
  assert.deepEqual(codes, ["manifestShadowed"]);
});

test("a mapping that cannot be opened is not fine, whichever process is asked, and says why and what to do", async () => {
  const world = new ControlWorld();
  const a = await world.start("a");
  const b = await world.start("b");
  const { uuid } = (await a.plane.mappings.create(STREAM_SPEC, true, {})).resource.mapping;
  await world.pass(5_000);
  world.missing.add(STREAM_SPEC.eventSourceArn);
  await a.plane.mappings.update(uuid, { batchSize: 7 }, undefined);
  await world.pass(30_000);
  for (const { plane } of [a, b]) {
    const answer = plane.explainAll();
    await world.pass(3_000);
    const { mappings, text } = await answer;
    assert.deepEqual(
      mappings.map((each) => [each.uuid, each.parts[0]?.reasons[0]?.code]),
      [[uuid, "cannotStart"]],
    );
    assert.match(text.join("\n"), /because {2}it cannot be started: .*gone/);
  }
});
