import assert from "node:assert/strict";
import { test } from "node:test";
import { cutPower } from "../chaos/power-loss/power-loss.ts";

const SIZE = { events: 200, cuts: 150 };
const NO_COMPILER = "there is no C compiler (cc) here, or this is no Linux";

for (const what of ["events", "parked keys"] as const) {
  test(`nothing of ${what} that was answered is lost with the power, wherever it is cut`, {
    timeout: 120_000,
  }, (t) => {
    const report = cutPower({ ...SIZE, what, mode: "full" });
    if (report === undefined) return t.skip(NO_COMPILER);
    t.diagnostic(JSON.stringify(report));
    assert.deepEqual(report.lost, []);
    assert.ok(report.cuts >= SIZE.cuts && report.answers > SIZE.events, JSON.stringify(report));
  });

  test(`a connection for ${what} that does not wait for the disk loses some: the cuts can find it`, {
    timeout: 120_000,
  }, (t) => {
    const report = cutPower({ ...SIZE, what, mode: "normal" });
    if (report === undefined) return t.skip(NO_COMPILER);
    assert.ok(report.lost.some((each) => / was (accepted|parked)$/.test(each)));
  });
}
