import assert from "node:assert/strict";
import { test } from "node:test";
import { iteratorAges } from "../../../src/control/rollouts/iterator-age.ts";
import type { MappingStatus } from "../../../src/engine/engine.ts";
import type { MappingResource } from "../../../src/manifests/resources.ts";

/** Mappings by their UUIDs: what they call, what they read, and how old their oldest record is. */
const MAPPINGS = {
  a: ["orders:live", "stream", 700],
  b: ["arn:aws:lambda:eu-west-1:123456789012:function:orders:live", "stream", 1_200.4],
  c: ["orders:live", "queue", 90_000],
  d: ["orders", "stream", 80_000],
  e: ["orders:next", "stream", 70_000],
  f: ["alone:live", "queue", 5],
} as const;

const ageOf = iteratorAges(
  () => Object.entries(MAPPINGS).map(([uuid, [, , oldestAgeMs]]) => ({ uuid, oldestAgeMs }) as MappingStatus),
  {
    resourceOf: (uuid) => {
      const [functionName, kind] = MAPPINGS[uuid as keyof typeof MAPPINGS];
      return { kind, spec: { functionName } } as MappingResource;
    },
  },
);

test("the iterator age of an alias is that of the oldest record that its own mappings of streams have not settled", () => {
  assert.equal(ageOf("orders:live"), 1_200);
  assert.equal(ageOf("orders:next"), 70_000);
});

test("an alias that reads no stream has no iterator age", () => {
  assert.equal(ageOf("alone:live"), undefined);
  assert.equal(ageOf("nobody:live"), undefined);
});
