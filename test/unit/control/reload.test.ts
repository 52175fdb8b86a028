import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadManifests, type Manifests } from "../../../src/manifests/load-manifests.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import { FUNCTION, folderWith, withMapping } from "../manifests/manifest-samples.ts";
import { ControlWorld, STREAM_SPEC } from "./control-world.ts";

const MAPPING = withMapping().slice(FUNCTION.length + "---\n".length);

test("manifests that say the same restart nothing", async (t) => {
  const { world, plane, reload } = await startWorld(t, mapping("a"), mapping("b"));
  const version = await world.mappings.newestVersion();
  await reload(mapping("b"), mapping("a"));
  assert.deepEqual(world.log, []);
  assert.equal(await world.mappings.newestVersion(), version);
  assert.equal((await plane.mappings.list({})).length, 2);
});

test("only a mapping that changed restarts; one that is new starts, and one that is gone stops", async (t) => {
  const { world, plane, running, reload } = await startWorld(t, mapping("a"), mapping("b"), mapping("c"));
  await reload(mapping("a"), mapping("b", "\n  batchSize: 7"), mapping("d"));
  assert.deepEqual(world.log.toSorted(), ["a starts b", "a starts d", "a stops b", "a stops c"]);
  assert.deepEqual(running().toSorted(), ["a", "b", "d"]);
  const views = await plane.mappings.list({});
  assert.deepEqual(views.map(({ resource }) => resource.mapping.name).toSorted(), ["a", "b", "d"]);
  assert.equal(views.find(({ resource }) => resource.mapping.name === "b")?.resource.mapping.batchSize, 7);
  assert.ok(plane.status().every(({ isFromManifest }) => isFromManifest === true));
});

test("a mapping that is disabled stops, one that is enabled again starts, and tags restart nothing", async (t) => {
  const { world, running, reload } = await startWorld(t, mapping("a"), mapping("b"));
  await reload(mapping("a", "\n  enabled: false"), mapping("b", "\n  tags: { team: shop }"));
  assert.deepEqual([world.log, running()], [["a stops a"], ["b"]]);
  await reload(mapping("a"), mapping("b"));
  assert.deepEqual(world.log, ["a stops a", "a starts a"]);
});

test("a function that changed opens anew under its mappings, which restart only when its time-out changed", async (t) => {
  const { world, plane, change } = await startWorld(t, mapping("a"));
  await change("\n  reservedConcurrency: 3", mapping("a"));
  assert.deepEqual(world.log, []);
  assert.equal(plane.functions[0]?.concurrency, 3);
  await change("\n  timeoutSeconds: 9", mapping("a"));
  assert.deepEqual(world.log, ["a stops a", "a starts a"]);
});

test("mappings of the API go on as they are", async (t) => {
  const { world, plane, running, reload } = await startWorld(t, mapping("a"));
  await plane.mappings.create(STREAM_SPEC, true, {});
  await world.quiet();
  const before = running();
  await reload(mapping("a", "\n  batchSize: 7"));
  assert.deepEqual(running().toSorted(), before.toSorted());
  assert.equal((await plane.mappings.list({})).length, 2);
});

async function startWorld(t: TestContext, ...texts: string[]) {
  const world = new ControlWorld();
  // One folder: another would be another place for all that manifests name by paths.
  const file = join(folderWith(t, {}), "m.yaml");
  const read = (functionFields: string, mappings: readonly string[]): Manifests => {
    const fn = `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  http: { url: "http://127.0.0.1:9000/" }${functionFields}
`;
    writeFileSync(file, [fn, ...mappings].join("---\n"));
    const loaded = loadManifests([file], {
      connectors: world.connectors,
      nowMs: 0,
      place: DEFAULT_PLACE,
    });
    return loaded.kind === "valid" ? loaded.manifests : assert.fail(JSON.stringify(loaded.problems));
  };
  const { plane, running } = await world.start("a", { manifests: read("", texts) });
  world.log.length = 0;
  const change = async (functionFields: string, ...mappings: string[]) => {
    await plane.reload(read(functionFields, mappings));
    await world.quiet();
  };
  return { world, plane, running, change, reload: (...mappings: string[]) => change("", ...mappings) };
}

function mapping(name: string, fields = ""): string {
  const text = MAPPING.replace("name: orders-stream", `name: ${name}`).replace(
    "stream/orders",
    `stream/${name}`,
  );
  return `${text.trimEnd()}${fields}\n`;
}
