import assert from "node:assert/strict";
import { test } from "node:test";
import { publishedContents } from "../../../src/control/published-aliases.ts";
import { LOOK_MS } from "../../../src/control/reconciler.ts";
import { hasErrorCode } from "../../../src/model/errors.ts";
import { readDocument } from "../../../src/resources/document.ts";
import { type ControlProcess, ControlWorld, functionNamed } from "./control-world.ts";

const ROLLOUT = { type: "Canary10Percent5Minutes", minimumInvocations: 20, requireTraffic: false } as const;

/** A function at this port, whose alias publishes it. */
function declared(port: number, rollout?: typeof ROLLOUT) {
  const alias = {
    version: "$LATEST",
    weights: new Map<string, number>(),
    publish: true as const,
    ...(rollout === undefined ? {} : { rollout }),
  };
  const target = { kind: "http", url: `http://127.0.0.1:${port}/` } as const;
  const fn = { ...functionNamed("orders"), target, aliases: new Map([["live", alias]]) };
  return { functions: [fn], mappings: [] };
}

async function versions(world: ControlWorld): Promise<readonly string[]> {
  const rows = await world.mappings.list(["version"]);
  return rows
    .filter(({ document }) => readDocument(document)?.conditions.length === 0)
    .map(({ name, document }) => `${name} ${JSON.stringify(readDocument(document)?.spec["http"])}`)
    .toSorted();
}

async function standing({ plane }: ControlProcess) {
  const [rollout] = await plane.rollouts.list();
  return rollout && [rollout.from, rollout.to, rollout.status];
}

test("what changes of a function is published as its next version, which its alias goes to in steps", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", { manifests: declared(1, ROLLOUT) });
  assert.deepEqual(await versions(world), ['orders:1 {"url":"http://127.0.0.1:1/"}']);
  assert.equal(await standing(a), undefined, "the first version has nobody to take over from");
  await a.plane.reload(declared(1, ROLLOUT));
  assert.equal((await versions(world)).length, 1, "the same is not published again");
  await a.plane.reload(declared(2, ROLLOUT));
  await world.pass(3 * LOOK_MS);
  assert.deepEqual(await versions(world), [
    'orders:1 {"url":"http://127.0.0.1:1/"}',
    'orders:2 {"url":"http://127.0.0.1:2/"}',
  ]);
  assert.deepEqual(await standing(a), ["1", "2", "InProgress"]);
  await world.start("b", { manifests: declared(2, ROLLOUT) });
  await world.pass(3 * LOOK_MS);
  assert.equal((await versions(world)).length, 2, "another process finds it published");
});

test("a version never changes: hosts whose code differs publish one each", async () => {
  const world = new ControlWorld();
  await world.start("a", { manifests: declared(1) });
  const starts = [2, 3].map((port) => world.start(`b${port}`, { manifests: declared(port) }));
  await Promise.all(starts);
  const all = await versions(world);
  assert.equal(all[0], 'orders:1 {"url":"http://127.0.0.1:1/"}');
  assert.equal(new Set(all.map((each) => each.split(" ")[1])).size, 3, all.join("; "));
});

test("old versions that no alias uses are kept ten at a time, and no number is given twice", async () => {
  const world = new ControlWorld();
  const a = await world.start("a", { manifests: declared(1) });
  for (let port = 2; port <= 14; port++) await a.plane.reload(declared(port));
  const all = (await versions(world)).map((each) => Number(each.split(/[: ]/)[1])).toSorted((x, y) => x - y);
  assert.deepEqual(all, [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  await a.plane.reload(declared(1));
  assert.ok(
    (await versions(world)).some((each) => each.startsWith("orders:15 ")),
    "it is published anew",
  );
});

test("code and layers of a published function are copied, and without a place for copies that is told", async () => {
  const alias = { kind: "alias", name: "orders:live", spec: { publish: true } };
  const spec = {
    code: { path: "/code" },
    layers: [{ path: "/layer" }],
    runtime: "nodejs24.x",
    timeoutSeconds: 3,
  };
  const declarations = [{ kind: "function", name: "orders", spec }, alias];
  const contents = await publishedContents(declarations, async (path) => ({ sha256: path, bytes: 1 }));
  assert.deepEqual(contents.get("orders"), {
    code: { sha256: "/code", bytes: 1 },
    layers: [{ sha256: "/layer", bytes: 1 }],
    runtime: "nodejs24.x",
    timeoutSeconds: 3,
  });
  await assert.rejects(publishedContents(declarations, undefined), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_CONFIG"),
  );
});
