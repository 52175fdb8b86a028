import assert from "node:assert/strict";
import { test } from "node:test";
import { tenantReader } from "../../../../src/engine/queue/tenant-of.ts";
import type { QueueEvents, QueueMessage } from "../../../../src/ports/queue-source.ts";

const MESSAGE = {} as QueueMessage;

function read(pointer: string, document: unknown): string {
  const events = { filterDocument: () => ({ document, isDataJson: true }) } as unknown as QueueEvents;
  return tenantReader(pointer, events)(MESSAGE);
}

const CASES: readonly (readonly [what: string, pointer: string, document: unknown, tenant: string])[] = [
  ["a text", "/body/tenant", { body: { tenant: "gold" } }, "gold"],
  ["a number", "/body/tenant", { body: { tenant: 7 } }, "7"],
  ["a number beyond 2^53", "/body/tenant", { body: { tenant: 9_007_199_254_740_993n } }, "9007199254740993"],
  ["an element of a list", "/body/to/1", { body: { to: ["a", "b"] } }, "b"],
  ["a slash and a tilde in a name", "/body/a~1b~0c", { body: { "a/b~c": "x" } }, "x"],
  ["no such member", "/body/tenant", { body: {} }, ""],
  ["an object", "/body/tenant", { body: { tenant: {} } }, ""],
  ["a body that is a text", "/body/tenant", { body: "tenant" }, ""],
  ["null", "/body/tenant", { body: null }, ""],
  ["an inherited member", "/body/constructor/name", { body: {} }, ""],
];

for (const [what, pointer, document, tenant] of CASES)
  test(`whose a message is: ${what}`, () => assert.equal(read(pointer, document), tenant));

test("a name is kept up to 256 characters", () =>
  assert.equal(read("/body", { body: "x".repeat(10_000) }).length, 256));

test("a message that cannot be looked into is nobody's", () => {
  const events = {
    filterDocument: () => {
      throw new TypeError("broken");
    },
  } as unknown as QueueEvents;
  assert.equal(tenantReader("/body/tenant", events)(MESSAGE), "");
});
