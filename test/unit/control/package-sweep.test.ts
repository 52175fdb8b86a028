import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { PackageSweep } from "../../../src/control/functions/package-sweep.ts";
import { createManualClock } from "../functions/manual-clock.ts";

const HOUR_MS = 3_600_000;

function sweeping() {
  const clock = createManualClock();
  const swept: string[] = [];
  const logged: string[] = [];
  const trouble = { of: undefined as Error | undefined };
  const sweep = (what: string) => async (needed: ReadonlySet<string>, nowMs: number) => {
    if (trouble.of !== undefined) throw trouble.of;
    swept.push(`${what} ${[...needed].join()} ${nowMs === clock.now()}`);
    return ["x"];
  };
  const untouched = async () => assert.fail("A sweep reads no package.");
  const store = { sweep: sweep("store"), put: untouched, get: untouched, close: untouched };
  const folders = { sweep: sweep("folders"), open: untouched };
  const log = (_level: string, message: string) => void logged.push(message);
  const all = new PackageSweep({ store, folders }, async () => new Set(["a", "b"]), {
    clock,
    telemetry: { log },
  });
  const hour = async () => {
    clock.advance(HOUR_MS);
    for (let round = 0; round < 10; round++) await setImmediate();
  };
  return { all, hour, swept, logged, trouble };
}

test("packages are looked at each hour, with what rows name at that time", async () => {
  const { all, hour, swept, logged } = sweeping();
  all.start();
  await hour();
  assert.deepEqual(swept, ["folders a,b true", "store a,b true"]);
  assert.deepEqual(logged, ["packages removed that no function names"]);
  await hour();
  assert.equal(swept.length, 4);
  await all.stop();
  await hour();
  assert.equal(swept.length, 4);
});

test("a place of packages that does not answer is told, and looked at again an hour later", async () => {
  const { all, hour, swept, logged, trouble } = sweeping();
  all.start();
  trouble.of = new Error("no disk");
  await hour();
  assert.match(logged[0] ?? "", /could not be removed; it is tried again in an hour/);
  trouble.of = undefined;
  await hour();
  assert.equal(swept.length, 2);
  await all.stop();
});
