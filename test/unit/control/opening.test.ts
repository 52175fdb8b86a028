import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { loadManifests, type Manifests } from "../../../src/manifests/load-manifests.ts";
import { hasErrorCode } from "../../../src/model/errors.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { ControlWorld, QUEUE_SPEC, STREAM_SPEC } from "./control-world.ts";

const arnOf = (stream: string) => `arn:aws:local:eu-west-1:123456789012:stream/${stream}`;

function mappingText(name: string, fn = "orders"): string {
  return `apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: ${fn}
  eventSourceArn: ${arnOf(name)}
  startingPosition: LATEST
  endpoints: { LOCAL_FILE: [orders.db] }
`;
}

function functionText(name: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${name} }
spec: { http: { url: "http://127.0.0.1:9000/" } }
`;
}

function manifestsOf(t: TestContext, world: ControlWorld, ...documents: readonly string[]): Manifests {
  const folder = folderWith(t, { "m.yaml": [functionText("orders"), ...documents].join("---\n") });
  const loaded = loadManifests([join(folder, "m.yaml")], {
    connectors: world.connectors,
    nowMs: 0,
    place: DEFAULT_PLACE,
  });
  assert(loaded.kind === "valid");
  return loaded.manifests;
}

test("mappings of manifests that cannot be opened neither end nor delay the others, and say why", async (t) => {
  const world = new ControlWorld();
  world.missing.add(arnOf("gone"));
  world.silent.add(arnOf("silent"));
  world.broken.add("broken");
  const texts = [mappingText("fine"), mappingText("gone"), mappingText("silent"), functionText("broken")];
  const manifests = manifestsOf(t, world, ...texts, mappingText("thrown", "broken"));
  const { plane, running } = await world.start("a", { manifests });
  assert.deepEqual(running(), ["fine"]);
  const stateOf = (name: string) => plane.status().find((status) => status.name === name);
  assert.deepEqual([stateOf("gone")?.state, stateOf("gone")?.isFromManifest], ["Failed", true]);
  assert.match(stateOf("gone")?.problem ?? "", /EventSourceMapping gone: gone\./);
  assert.match(stateOf("thrown")?.problem ?? "", /Function broken: throws at load\./);
  assert.deepEqual([stateOf("silent")?.state, stateOf("silent")?.problem], ["Creating", undefined]);
  const views = new Map((await plane.mappings.list({})).map((view) => [view.resource.mapping.name, view]));
  assert.deepEqual(
    [views.get("gone")?.state, views.get("gone")?.problem],
    ["Creating", "EventSourceMapping gone: gone."],
  );
  assert.deepEqual([views.get("fine")?.state, views.get("fine")?.problem], ["Enabled", undefined]);
  await world.pass(10_000);
  assert.match(stateOf("silent")?.problem ?? "", /still being opened after 10 s/);
});

test("what is repaired works within ten seconds, however long it was broken", async (t) => {
  const world = new ControlWorld();
  world.missing.add(arnOf("gone"));
  world.broken.add("broken");
  const documents = [mappingText("gone"), functionText("broken"), mappingText("thrown", "broken")];
  const { plane, running } = await world.start("a", { manifests: manifestsOf(t, world, ...documents) });
  await world.pass(600_000);
  assert.deepEqual(running(), []);
  world.missing.clear();
  world.broken.clear();
  await world.pass(10_000);
  assert.deepEqual(running().toSorted(), ["gone", "thrown"]);
  assert(plane.status().every(({ state, problem }) => state === "Enabled" && problem === undefined));
});

test("a source that hangs when it is opened is given up after a while, and opened anew", async (t) => {
  const world = new ControlWorld();
  world.silent.add(arnOf("silent"));
  const { plane, running } = await world.start("a", {
    manifests: manifestsOf(t, world, mappingText("silent")),
  });
  await world.pass(29_000);
  assert.equal(plane.status()[0]?.state, "Creating");
  world.silent.clear();
  await world.pass(10_000);
  assert.deepEqual(running(), ["silent"]);
});

test("a trouble that stays is told once, another one anew", async (t) => {
  const world = new ControlWorld();
  world.missing.add(arnOf("gone"));
  await world.start("a", { manifests: manifestsOf(t, world, mappingText("gone", "orders")) });
  await world.pass(300_000);
  const told = () => world.logged.filter((message) => message.startsWith("a mapping c"));
  assert.deepEqual(told().length, 1);
  world.broken.add("orders");
  world.missing.clear();
  await world.pass(300_000);
  assert.deepEqual(told().length, 1, "the function was opened before, and is kept");
});

test("with --strict a mapping of a manifest that cannot be opened fails the start", async (t) => {
  const world = new ControlWorld();
  world.missing.add(arnOf("gone"));
  const manifests = manifestsOf(t, world, mappingText("fine"), mappingText("gone"));
  await assert.rejects(world.start("a", { manifests, isStrict: true }), (error) => {
    assert(hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND"));
    assert.match(error.message, /EventSourceMapping gone/);
    return true;
  });
});

test("a mapping whose source hangs when it is opened holds up no change of another one", async () => {
  const world = new ControlWorld();
  const { plane, running } = await world.start("a");
  await plane.mappings.create(QUEUE_SPEC, true, {});
  await plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  const [queue, stream] = [world.uuid(1), world.uuid(2)];
  world.silent.add(STREAM_SPEC.eventSourceArn);
  await plane.mappings.update(stream, { batchSize: 7 }, undefined);
  await world.quiet();
  await plane.mappings.update(queue, {}, false);
  await world.pass(LOOK_MS);
  assert.deepEqual(running(), []);
  await world.pass(12 * LOOK_MS);
  assert.equal((await plane.mappings.get(queue)).state, "Disabled");
  assert.match((await plane.mappings.get(stream)).problem ?? "", /still being opened/);
});
