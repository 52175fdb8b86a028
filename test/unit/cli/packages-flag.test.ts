import assert from "node:assert/strict";
import { test } from "node:test";
import { readRunOptions } from "../../../src/cli/run-flags.ts";
import { ADAPTERS } from "./captured-host.ts";

const HOST = { adapters: ADAPTERS, environment: {} } as unknown as Parameters<typeof readRunOptions>[1];

function placeWith(...flags: readonly (readonly [name: string, value: string])[]): string | undefined {
  return readRunOptions(new Map(flags.map(([name, value]) => [name, [value]])), HOST).packages;
}

test("code is taken on loopback, and elsewhere only where the operator names a place for it", () => {
  assert.equal(placeWith(), undefined);
  assert.equal(placeWith(["api", "127.0.0.1:0"]), undefined);
  assert.equal(placeWith(["api", "[::1]:8080"]), undefined);
  assert.equal(placeWith(["api", "0.0.0.0:8080"]), "off");
  assert.equal(placeWith(["api", "10.0.0.1:8080"]), "off");
  assert.equal(placeWith(["api", "0.0.0.0:8080"], ["packages", "dir:/srv/code"]), "dir:/srv/code");
  assert.equal(placeWith(["packages", "off"]), "off");
});
