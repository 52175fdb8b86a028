import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { loadManifests, type Manifests } from "../../../src/manifests/load-manifests.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import { folderWith, withMapping } from "../manifests/manifest-samples.ts";
import { ControlWorld, STREAM, STREAM_SPEC } from "./control-world.ts";

test("mappings of manifests are shown, and changed in their manifests only, until they are adopted", async (t) => {
  const world = new ControlWorld();
  const manifests = manifestsOf(t, world);
  const { plane, running } = await world.start("a", { manifests });
  const [view] = await plane.mappings.list({});
  assert(view !== undefined);
  const { uuid } = view.resource.mapping;
  assert.deepEqual([view.state, view.isFromManifest, running()], ["Enabled", true, ["orders-stream"]]);
  assert.equal(await plane.mappings.uuidNamed("orders-stream"), uuid);
  assert.equal(await plane.mappings.uuidNamed(uuid.toUpperCase()), uuid);
  await assert.rejects(plane.mappings.uuidNamed("stream"), { fault: "ResourceNotFoundException" });
  const changes = [
    () => plane.mappings.update(uuid, { batchSize: 3 }, undefined),
    () => plane.mappings.update(uuid, { batchSize: 3 }, false),
    () => plane.mappings.update(uuid, {}, undefined),
    () => plane.mappings.remove(uuid),
    () => plane.mappings.changeTags(uuid, (tags) => tags),
  ];
  for (const change of changes) {
    await assert.rejects(change(), {
      fault: "InvalidParameterValueException",
      message:
        /is defined by a manifest\. Change the manifest, or start millrace with --adopt.*millrace adopt mapping\/orders-stream --to api.*Its owner is the manifest set default/,
    });
  }
  await assert.rejects(plane.mappings.create(STREAM_SPEC, true, {}), { fault: "ResourceConflictException" });

  await plane.stop();
  await plane.forget();
  const adopting = await world.start("b", { manifests, isAdopting: true });
  const adopted = await adopting.plane.mappings.get(uuid);
  assert.deepEqual([adopted.state, adopted.isFromManifest], ["Enabled", false]);
  assert.deepEqual(adopted.resource.endpoints, manifests.mappings[0]?.endpoints);
  assert.deepEqual(adopting.running(), ["orders-stream"]);
  await adopting.plane.mappings.update(uuid, { batchSize: 3 }, undefined);
  await world.quiet();

  await adopting.plane.stop();
  await adopting.plane.forget();
  const later = await world.start("c", { manifests });
  const kept = await later.plane.mappings.get(uuid);
  assert.deepEqual([kept.isFromManifest, kept.resource.mapping.batchSize], [false, 3]);
  assert.deepEqual(later.running(), ["orders-stream"]);
});

test("a mapping of the API is not given the function that a manifest's mapping has on its source", async (t) => {
  const world = new ControlWorld();
  const { plane } = await world.start("a", { manifests: manifestsOf(t, world) });
  const [owned] = await plane.mappings.list({});
  const made = await plane.mappings.create({ ...STREAM_SPEC, functionName: "orders:live" }, true, {});
  await world.pass(3 * LOOK_MS);
  const { uuid } = made.resource.mapping;
  await assert.rejects(plane.mappings.update(uuid, { functionName: "orders" }, undefined), {
    fault: "ResourceConflictException",
    message: `The event source arn (" ${STREAM} ") and function (" orders ") provided mapping already exists. Please update or delete the existing mapping with UUID ${owned?.resource.mapping.uuid}`,
  });
  assert.equal((await plane.mappings.get(uuid)).resource.spec.functionName, "orders:live");
});

test("an adopted mapping that was deleted does not come back from its manifest", async (t) => {
  const world = new ControlWorld();
  const manifests = manifestsOf(t, world);
  const { plane } = await world.start("a", { manifests, isAdopting: true });
  const [view] = await plane.mappings.list({});
  const uuid = view?.resource.mapping.uuid ?? "";
  await plane.mappings.remove(uuid);
  await world.quiet();
  await plane.stop();
  await plane.forget();
  for (const isAdopting of [true, false]) {
    const again = await world.start(`again ${isAdopting}`, { manifests, isAdopting });
    assert.deepEqual([again.running(), await again.plane.mappings.list({})], [[], []]);
    await assert.rejects(again.plane.mappings.get(uuid), { fault: "ResourceNotFoundException" });
    await again.plane.mappings.create(STREAM_SPEC, true, {});
    await world.quiet();
    const [made] = await again.plane.mappings.list({});
    await again.plane.mappings.remove(made?.resource.mapping.uuid ?? "");
    await world.quiet();
    await again.plane.stop();
    await again.plane.forget();
  }
});

test("a mapping that another process adopts is the API's in this one too, and stops with it", async (t) => {
  const world = new ControlWorld();
  const manifests = manifestsOf(t, world);
  const first = await world.start("first", { manifests });
  const [view] = await first.plane.mappings.list({});
  const uuid = view?.resource.mapping.uuid ?? "";
  const second = await world.start("second", { manifests, isAdopting: true });
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(
    (await first.plane.mappings.list({})).map(({ state, isFromManifest }) => [state, isFromManifest]),
    [["Enabled", false]],
  );
  await first.plane.mappings.remove(uuid);
  await world.pass(3 * LOOK_MS);
  assert.deepEqual([first.running(), second.running()], [[], []]);
  await assert.rejects(first.plane.mappings.get(uuid), { fault: "ResourceNotFoundException" });
});

function manifestsOf(t: TestContext, world: ControlWorld): Manifests {
  const folder = folderWith(t, { "m.yaml": withMapping() });
  const loaded = loadManifests([join(folder, "m.yaml")], {
    connectors: world.connectors,
    nowMs: 0,
    place: DEFAULT_PLACE,
  });
  assert(loaded.kind === "valid");
  return loaded.manifests;
}
