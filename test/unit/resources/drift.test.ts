import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, shownSpec } from "../../../src/resources/drift.ts";

const OWNER = "the manifest set shop";

test("says field by field what would change if the manifests were applied", () => {
  const kept = { spec: { timeoutSeconds: 3, reservedConcurrency: 4 }, owner: OWNER, isOrphaned: false };
  const declared = { timeoutSeconds: 5, reservedConcurrency: 4, adaptiveConcurrency: true };
  assert.deepEqual(differences([{ kind: "function", name: "orders", declared, kept }]), [
    {
      kind: "function",
      name: "orders",
      field: "adaptiveConcurrency",
      declared: true,
      inForce: undefined,
      reason: "It is not applied to what the manifest set shop declared.",
    },
    {
      kind: "function",
      name: "orders",
      field: "timeoutSeconds",
      declared: 5,
      inForce: 3,
      reason: "It is not applied to what the manifest set shop declared.",
    },
  ]);
});

test("says what is not applied, not declared, or an orphan", () => {
  const kept = { spec: {}, owner: OWNER, isOrphaned: false };
  const reasons = differences([
    { kind: "function", name: "a", declared: {}, kept: undefined },
    { kind: "function", name: "b", declared: undefined, kept },
    { kind: "function", name: "c", declared: {}, kept: { ...kept, isOrphaned: true } },
    { kind: "function", name: "d", declared: {}, kept },
  ]).map(({ name, reason }) => `${name}: ${reason}`);
  assert.deepEqual(reasons, [
    "a: It is not applied.",
    "b: It is not in these manifests.",
    "c: It is kept as an orphan: it is not applied again.",
  ]);
});

test("a target is shown as a digest that changes with it, but not with the values of its environment", () => {
  const digest = (module: object) => shownSpec({ module, timeoutSeconds: 3 })["module"];
  const module = { path: "/srv/a.ts", environment: { TOKEN: "one" } };
  assert.equal(digest(module), digest({ ...module, environment: { TOKEN: "two" } }));
  assert.notEqual(digest(module), digest({ ...module, environment: { OTHER: "one" } }));
  assert.notEqual(digest(module), digest({ ...module, path: "/srv/b.ts" }));
});
