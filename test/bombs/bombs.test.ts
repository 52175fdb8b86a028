import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import { runBombs } from "./run-bombs.ts";

const MIB = 1024 * 1024;
const HANG = { timeout: 900_000 };

test(
  "a process with a heap of 512 MB lives through every bomb, gives it up, delivers it or refuses it, and delivers its neighbours first",
  HANG,
  async (t) => {
    const report = await runBombs({ emptyRecords: 50_000 });
    t.diagnostic(JSON.stringify(report));
    for (const { bomb, isNeighbourFirst } of report.endings) assert.ok(isNeighbourFirst, bomb);
    assert.ok(report.rssMax <= DEFAULT_SETTINGS.processBudgetBytes + 128 * MIB, `${report.rssMax} bytes`);
    assert.equal(report.asker.failures, 0);
  },
);
