import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { loadManifests, type Manifests } from "../../../src/manifests/load-manifests.ts";
import { mappingUuid } from "../../../src/manifests/mapping-uuid.ts";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { type ControlProcess, ControlWorld, STREAM_SPEC } from "./control-world.ts";

const ORDERS = mappingUuid("orders");
const SHOP: ManifestOwner = { kind: "manifest", set: "shop" };

test("a manifest's mapping that the API disables stops in all processes, and is shown as drift with its reason", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders"));
  const [a, b] = [await world.start("a", { manifests }), await world.start("b", { manifests })];
  assert.deepEqual([a.running(), b.running()], [["orders"], ["orders"]]);
  assert.equal((await a.plane.mappings.update(ORDERS, {}, false)).state, "Disabling");
  await world.pass(3 * LOOK_MS);
  assert.deepEqual([a.running(), b.running()], [[], []]);
  assert.equal((await b.plane.mappings.get(ORDERS)).state, "Disabled");
  const drift = {
    kind: "mapping",
    name: "orders",
    field: "enabled",
    declared: true,
    inForce: false,
    reason: "It was set by the API, until the manifest set default declares this field anew.",
  };
  assert.deepEqual(await b.plane.resources.drift(), [drift]);
  assert.equal(b.plane.drifted().get("mapping"), 1);

  await a.plane.mappings.update(ORDERS, {}, true);
  await world.pass(3 * LOOK_MS);
  assert.deepEqual([a.running(), b.running()], [["orders"], ["orders"]]);
  assert.deepEqual([await a.plane.resources.drift(), a.plane.drifted().get("mapping")], [[], 0]);
});

test("what the API disabled stays so over restarts and other changes, until its owner declares Enabled anew", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"));
  const first = await world.start("a", { manifests });
  await first.plane.mappings.update(ORDERS, {}, false);
  await world.pass(2 * LOOK_MS);
  await end(first);
  for (const isStrict of [true, false]) {
    const again = await world.start(`again ${isStrict}`, { manifests, isStrict });
    assert.deepEqual([again.running(), (await again.plane.mappings.get(ORDERS)).state], [[], "Disabled"]);
    await end(again);
  }
  const { plane, running } = await world.start("b", { manifests });
  await plane.reload(read(mapping("orders", "batchSize: 7")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running(), []);
  assert.equal((await plane.mappings.get(ORDERS)).resource.mapping.batchSize, 7);
  await plane.reload(read(mapping("orders", "batchSize: 7\n  enabled: false")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual([running(), await plane.resources.drift()], [[], []]);
  await plane.reload(read(mapping("orders", "batchSize: 7")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running(), ["orders"]);
});

test("a mapping that its manifest disables is enabled by the API, beside what is declared", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders", "enabled: false"));
  const { plane, running } = await world.start("a", { manifests });
  assert.deepEqual([running(), (await plane.mappings.get(ORDERS)).state], [[], "Disabled"]);
  await plane.mappings.update(ORDERS, { batchSize: undefined }, true);
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running(), ["orders"]);
  assert.equal((await plane.resources.drift())[0]?.inForce, true);
});

test("a mapping that vanished from its manifests stops, is drift, keeps its place, and goes on when it comes back", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"), mapping("parcels"));
  const { plane, running } = await world.start("a", { manifests });
  await leaveProgress(world, ORDERS);
  await plane.reload(read(mapping("parcels")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running(), ["parcels"]);
  await assert.rejects(plane.mappings.get(ORDERS), { fault: "ResourceNotFoundException" });
  await assert.rejects(plane.mappings.update(ORDERS, {}, true), { fault: "ResourceNotFoundException" });
  assert.deepEqual(await plane.resources.drift(), [
    {
      kind: "mapping",
      name: "orders",
      reason: "It is no longer in the manifest set default. It is kept, and not run.",
    },
  ]);
  await plane.reload(manifests);
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running().toSorted(), ["orders", "parcels"]);
  assert.equal((await world.progress.list(ORDERS)).length, 1);
});

test("an orphan that is pruned is forgotten with its progress; one that is declared meanwhile begins behind that", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"), mapping("parcels"));
  const { plane, running } = await world.start("a", { manifests });
  await leaveProgress(world, ORDERS);
  assert.deepEqual(await plane.resources.prune({ kind: "mapping", name: "orders" }), [], "it is declared");
  await plane.reload(read(mapping("parcels")));
  await world.pass(2 * LOOK_MS);
  // A process that does not answer is waited for.
  await world.mappings.announce("silent", 0);
  assert.deepEqual(await plane.resources.prune({}), [{ kind: "mapping", name: "orders" }]);
  await plane.reload(manifests);
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(running(), ["parcels"], "its progress is not forgotten yet");
  await world.pass(20 * LOOK_MS);
  assert.deepEqual(running().toSorted(), ["orders", "parcels"]);
  assert.deepEqual(await world.progress.list(ORDERS), []);
  assert.deepEqual(await plane.resources.drift(), []);
});

test("a mapping that another set declares stays as it is, and the log names its owner and the way out", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"));
  const { plane } = await world.start("a", { manifests, owner: SHOP });
  await world.start("b", {
    manifests: read(mapping("orders", "batchSize: 7")),
    owner: { kind: "manifest", set: "depot" },
  });
  const { resource } = await plane.mappings.get(ORDERS);
  assert.equal(resource.mapping.batchSize, 100);
  const told = world.logged.find((line) => line.startsWith("the mapping orders is declared by"));
  assert.match(told ?? "", /the manifest set shop, and stays as it is: .*--manifest-set.*millrace adopt/);
});

test("what a mapping of the API reads for a function is not given to a manifest's mapping, and the log says whose it is", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders"));
  const first = await world.start("a");
  const made = await first.plane.mappings.create(STREAM_SPEC, true, {});
  const { running } = await world.start("b", { manifests });
  assert.deepEqual(running(), [made.resource.mapping.name]);
  const told = world.logged.find((line) => line.startsWith("the mapping orders is not applied"));
  assert.match(
    told ?? "",
    new RegExp(`of the mapping ${made.resource.mapping.uuid}, which is declared by the API`),
  );
});

test("mappings of one set take over each other's sources, also in a circle", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("a", "", "orders"), mapping("b", "", "parcels"));
  const { plane, running } = await world.start("p", { manifests });
  await plane.reload(read(mapping("a", "", "parcels"), mapping("b", "", "orders")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(await sourcesOf(plane), ["a parcels", "b orders"]);
  await plane.reload(read(mapping("renamed", "", "parcels"), mapping("b", "", "orders")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(await sourcesOf(plane), ["b orders", "renamed parcels"]);
  assert.deepEqual(running().toSorted(), ["b", "renamed"]);
  await plane.reload(read(mapping("a", "", "parcels"), mapping("b", "", "orders")));
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running().toSorted(), ["a", "b"]);
});

test("a mapping changes hands with its progress, and what was set beside its owner is what the new one declares", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders"));
  const { plane } = await world.start("a", { manifests });
  await plane.mappings.update(ORDERS, {}, false);
  await world.pass(2 * LOOK_MS);
  const adopted = await plane.resources.adopt("orders", { kind: "api", isAdopted: true }, "mapping");
  assert.deepEqual(adopted, [{ kind: "mapping", name: "orders", from: "the manifest set default" }]);
  await world.pass(2 * LOOK_MS);
  const view = await plane.mappings.get(ORDERS);
  assert.deepEqual([view.state, view.isFromManifest, await plane.resources.drift()], ["Disabled", false, []]);
  await plane.mappings.update(ORDERS, { batchSize: 3 }, true);
  await plane.reload(manifests);
  await world.pass(2 * LOOK_MS);
  assert.equal((await plane.mappings.get(ORDERS)).resource.mapping.batchSize, 3, "manifests are refused");
  assert.ok(world.logged.includes("mappings of manifests are owned by the API"));

  const back = { kind: "manifest", set: "default" } as const;
  assert.deepEqual(
    (await plane.resources.adoption("orders", back, "mapping")).changes.map(
      ({ field, declared, inForce, reason }) => [field, declared, inForce, reason],
    ),
    [["batchSize", undefined, 3, "It is applied once the manifests are read again."]],
  );
  await plane.resources.adopt(ORDERS, back, "mapping");
  await world.pass(2 * LOOK_MS);
  await assert.rejects(plane.mappings.update(ORDERS, { batchSize: 4 }, undefined), /manifest set default/);
  await plane.reload(manifests);
  await world.pass(2 * LOOK_MS);
  assert.equal((await plane.mappings.get(ORDERS)).resource.mapping.batchSize, 100);
  await assert.rejects(plane.resources.adopt("nobody", { kind: "api" }, "mapping"), {
    fault: "ResourceNotFoundException",
  });
});

test("an orphan is taken over unless what it read is another's of its set by now", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"), mapping("parcels"));
  const { plane, running } = await world.start("a", { manifests });
  await plane.reload(read(mapping("parcels")));
  await world.pass(2 * LOOK_MS);
  await assert.rejects(plane.mappings.create(STREAM_SPEC, true, {}), { fault: "ResourceConflictException" });
  await plane.reload(read(mapping("parcels"), mapping("renamed", "", "orders")));
  const api = { kind: "api", isAdopted: true } as const;
  await assert.rejects(plane.resources.adopt("orders", api, "mapping"), {
    fault: "ResourceConflictException",
  });
  await plane.reload(read(mapping("parcels"), mapping("renamed", "", "others")));
  await world.pass(2 * LOOK_MS);
  await plane.resources.adopt("orders", api, "mapping");
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(running().toSorted(), ["orders", "parcels", "renamed"]);
});

test("a mapping that one process of a set declares no more goes on in another until that reads its manifests again", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"));
  const [old, rest] = [{ ...SHOP, revision: 3 }, read(mapping("parcels"))];
  const a = await world.start("a", { manifests });
  const b = await world.start("b", { manifests: rest });
  await world.pass(2 * LOOK_MS);
  assert.deepEqual([a.running().toSorted(), b.running()], [["orders", "parcels"], ["parcels"]]);
  assert.equal((await a.plane.resources.drift()).length, 1);
  await a.plane.reload(rest);
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(a.running(), ["parcels"]);

  const c = await world.start("c", { manifests, owner: old });
  assert.deepEqual(c.running(), []);
  assert.equal(world.logged.filter((line) => line.startsWith("the mapping orders is declared by")).length, 1);
});

test("with revisions a mapping that a higher one declares no more is run by nobody", async (t) => {
  const { world, manifests, read } = declaring(t, mapping("orders"));
  const a = await world.start("a", { manifests, owner: { ...SHOP, revision: 3 } });
  assert.deepEqual(a.running(), ["orders"]);
  await world.start("b", { manifests: read(mapping("parcels")), owner: { ...SHOP, revision: 4 } });
  await world.pass(2 * LOOK_MS);
  assert.deepEqual(a.running(), ["parcels"]);
  await end(a);
  const again = await world.start("again", { manifests, owner: { ...SHOP, revision: 3 } });
  assert.deepEqual(again.running(), ["parcels"]);
});

test("a process runs the mappings of its own set and of the API, and not those of another set", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders"));
  const shop = await world.start("shop", { manifests, owner: SHOP });
  const depot = await world.start("depot", { owner: { kind: "manifest", set: "depot" } });
  await depot.plane.mappings.create({ ...STREAM_SPEC, functionName: "other" }, true, {});
  await world.pass(2 * LOOK_MS);
  assert.deepEqual([shop.running().length, depot.running().length], [2, 1]);
  assert.equal((await depot.plane.mappings.update(ORDERS, {}, false)).state, "Disabling");
  await world.pass(2 * LOOK_MS);
  assert.equal(shop.running().length, 1);
});

test("a mapping has the UUID of its name, under which its checkpoints were before it was a row", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders"));
  await leaveProgress(world, ORDERS);
  const { running } = await world.start("a", { manifests });
  const [row] = await world.mappings.list(["mapping"]);
  assert.deepEqual([row?.uid, row?.name, running()], [ORDERS, ORDERS, ["orders"]]);
  assert.equal((await world.progress.list(ORDERS)).length, 1);
});

test("while the store is out of reach its mappings are shown as being started, and why", async (t) => {
  const { world, manifests } = declaring(t, mapping("orders"));
  const { plane, running } = await world.start("a", { manifests });
  const { mappings } = world;
  const away = () => Promise.reject(new Error("no answer"));
  const { announce, newestVersion } = mappings;
  Object.assign(mappings, { announce: away, newestVersion: away });
  await world.pass(15 * LOOK_MS);
  assert.deepEqual(running(), []);
  const [status] = plane.status();
  assert.deepEqual([status?.state, status?.caughtUp, status?.isFromManifest], ["Creating", false, true]);
  assert.match(status?.problem ?? "", /store is out of reach/);
  Object.assign(mappings, { announce, newestVersion });
  await world.pass(5 * LOOK_MS);
  assert.deepEqual([running(), plane.status()[0]?.problem], [["orders"], undefined]);
});

function declaring(t: TestContext, ...texts: readonly string[]) {
  const world = new ControlWorld();
  const read = (...documents: readonly string[]): Manifests => {
    const folder = folderWith(t, { "m.yaml": [FUNCTION, ...documents].join("---\n") });
    const loaded = loadManifests([join(folder, "m.yaml")], {
      connectors: world.connectors,
      nowMs: 0,
      place: DEFAULT_PLACE,
    });
    return loaded.kind === "valid" ? loaded.manifests : assert.fail(JSON.stringify(loaded.problems));
  };
  return { world, read, manifests: read(...texts) };
}

const FUNCTION = `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "http://127.0.0.1:9000/" } }
`;

function mapping(name: string, fields = "", stream = name): string {
  return `apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:123456789012:stream/${stream}
  startingPosition: LATEST
  endpoints: { LOCAL_FILE: [/tmp/orders.db] }
  ${fields}
`;
}

async function leaveProgress({ progress }: ControlWorld, mappingId: string): Promise<void> {
  const shard = { shardId: "shard-0", parentShardIds: [], closed: false };
  await progress.initialise(mappingId, [{ shard, checkpoint: initialCheckpoint({ kind: "oldest" }) }]);
}

async function sourcesOf(plane: ControlProcess["plane"]): Promise<readonly string[]> {
  const views = await plane.mappings.list({});
  return views
    .map(
      ({
        resource: {
          mapping: { name, eventSourceArn },
        },
      }) => `${name} ${eventSourceArn?.split("/").at(-1)}`,
    )
    .toSorted();
}

async function end({ plane }: ControlProcess): Promise<void> {
  await plane.stop();
  await plane.forget();
}
