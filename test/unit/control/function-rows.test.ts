import assert from "node:assert/strict";
import { test } from "node:test";
import { declarationsOf, functionsOf } from "../../../src/control/function-rows.ts";
import { applySet } from "../../../src/control/manifest-set.ts";
import { functionSpec } from "../../../src/manifests/function-schema.ts";
import { type FunctionResource, functionResource } from "../../../src/manifests/resources.ts";
import { API_VERSION } from "../../../src/manifests/schema.ts";
import { readDocument, writeDocument } from "../../../src/resources/document.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";

const MODULE = {
  kind: "module",
  path: "/srv/orders.ts",
  exportName: "handle",
  environment: { STAGE: "test" },
  inheritEnvironment: ["HOME"],
  credentials: "env:SHOP_",
  memoryMb: 256,
  isolation: "thread",
} as const;
const REMOTE = { kind: "lambda", functionName: "orders", region: undefined, endpoint: undefined } as const;
const FUNCTION: FunctionResource = {
  name: "orders",
  target: MODULE,
  versions: new Map([
    ["1", { kind: "http", url: "http://127.0.0.1:9000/" }],
    ["2", { ...REMOTE, region: "eu-central-1", endpoint: "http://127.0.0.1:9001" }],
  ]),
  aliases: new Map([["live", { version: "1", weights: new Map([["2", 0.25]]) }]]),
  timeoutMs: 30_000,
  concurrency: 4,
  isReserved: true,
  isConcurrencyAdaptive: true,
  errorDetails: "full",
};
const PLAIN: FunctionResource = {
  name: "parcels",
  target: REMOTE,
  versions: new Map(),
  aliases: new Map(),
  timeoutMs: 3_000,
  concurrency: 1000,
  isReserved: false,
  isConcurrencyAdaptive: false,
  errorDetails: "full",
};

test("a function is a row of its own, with one for each version and alias, in an order that leaves no alias alone", () => {
  assert.deepEqual(
    declarationsOf(FUNCTION).map(({ kind, name }) => `${kind} ${name}`),
    ["version orders:1", "version orders:2", "function orders", "alias orders:live"],
  );
});

test("a row of a function with code says all that its manifest says", async () => {
  const folder = "/srv";
  const plain = { runtime: "python3.13", handler: "app.handler", code: "./orders" };
  const full = {
    ...plain,
    layers: ["./layer"],
    memoryMb: 256,
    scaling: { environments: { min: 2, max: 5 }, invocationsPerEnvironment: 3 },
    timeoutSeconds: 30,
    versions: { 1: plain, 2: { ...plain, scaling: { environments: { min: 1 } } } },
  };
  const declared = [plain, full, { command: ["./run"], code: { path: "./jobs.zip" } }].map((spec, index) => {
    const manifest = { apiVersion: API_VERSION, kind: "Function", metadata: { name: `f${index}` } } as const;
    const fn = functionResource({ ...manifest, spec: functionSpec.parse(spec) }, folder);
    assert(fn !== undefined);
    return fn;
  });
  const { functions, unreadable } = functionsOf(await rowsOf(declared));
  assert.deepEqual(unreadable, []);
  assert.deepEqual(
    functions.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    declared,
  );
});

test("what rows say of functions is what was declared, and by which row its keys are dealt out", async () => {
  const weights = new Map([["2", 0.25]]);
  const chance: FunctionResource = {
    ...FUNCTION,
    name: "chance",
    aliases: new Map([["live", { version: "1", weights, routing: "request" }]]),
  };
  const rows = await rowsOf([FUNCTION, PLAIN, chance]);
  const { functions, unreadable } = functionsOf(rows);
  const salted = (fn: FunctionResource): FunctionResource => {
    const salt = rows.find(({ kind, name }) => kind === "alias" && name === `${fn.name}:live`)?.uid;
    assert.ok(salt !== undefined);
    return { ...fn, aliases: new Map([...fn.aliases].map(([alias, each]) => [alias, { ...each, salt }])) };
  };
  assert.deepEqual(
    functions.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    [salted(chance), salted(FUNCTION), PLAIN],
  );
  assert.deepEqual(unreadable, []);
});

test("a version has the time-out that it was published with, by a manifest or by the API, else the function's", async () => {
  const own: FunctionResource = {
    ...FUNCTION,
    aliases: new Map(),
    versionTimeoutsMs: new Map([["2", 5_000]]),
  };
  const rows = await rowsOf([own]);
  assert.deepEqual(functionsOf(rows).functions, [own]);
  const published = rows.map((row) => {
    const document = readDocument(row.document);
    assert.ok(document !== undefined);
    if (row.name !== "orders:1") return row;
    return { ...row, document: writeDocument({ ...document, members: { timeoutSeconds: 7 } }) };
  });
  const versionTimeoutsMs = new Map([
    ["1", 7_000],
    ["2", 5_000],
  ]);
  assert.deepEqual(functionsOf(published).functions, [{ ...own, versionTimeoutsMs }]);
});

test("an orphan is no function, and an orphaned alias or version none of its function's", async () => {
  const store = createMemoryResourceStore();
  const owner = { kind: "manifest", set: "shop" } as const;
  const bare = { ...FUNCTION, aliases: new Map() };
  for (const functions of [[FUNCTION, PLAIN], [bare]]) {
    await applySet({ store, owner, declarations: functions.flatMap(declarationsOf), nowMs: 1 });
  }
  assert.deepEqual(functionsOf(await store.list()).functions, [bare]);
});

test("an override is in force in the place of what was declared", async () => {
  const rows = (await rowsOf([PLAIN])).map((row) => {
    const document = readDocument(row.document);
    assert.ok(document !== undefined);
    return { ...row, document: writeDocument({ ...document, overrides: { reservedConcurrency: 2 } }) };
  });
  assert.deepEqual(functionsOf(rows).functions, [{ ...PLAIN, concurrency: 2, isReserved: true }]);
});

test("a row that cannot be read is named and costs itself only", async () => {
  const rows = (await rowsOf([FUNCTION, PLAIN])).map((row) => {
    return row.name === "orders" ? { ...row, document: '{"form":3}' } : row;
  });
  const { functions, unreadable } = functionsOf(rows);
  assert.deepEqual(functions, [PLAIN]);
  assert.deepEqual(unreadable, ["function orders"]);
});

async function rowsOf(functions: readonly FunctionResource[]) {
  const store = createMemoryResourceStore();
  const owner = { kind: "manifest", set: "shop" } as const;
  await applySet({ store, owner, declarations: functions.flatMap(declarationsOf), nowMs: 1 });
  return await store.list();
}
