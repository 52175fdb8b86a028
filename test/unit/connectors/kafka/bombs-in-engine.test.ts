import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { DEFAULT_SETTINGS } from "../../../../src/engine/settings.ts";
import { STEP_BYTES_MAX, STEP_ITEMS_MAX } from "../../../../src/lib/steps.ts";
import { firstLineOf } from "./script-line.ts";

const MIB = 1024 * 1024;
const HEAP_FLAGS = ["--max-old-space-size=512"];

interface BombsRead {
  readonly records: number;
  readonly givenUp: readonly string[];
  readonly rssMax: number;
  readonly stepBytesMax: number;
  readonly stepItemsMax: number;
}

async function readBombs(t: TestContext): Promise<{ readonly partitions: number; readonly read: BombsRead }> {
  const broker = await firstLineOf(t, [], "bomb-broker.ts", []);
  const partitions: number = JSON.parse(broker).last.length;
  return { partitions, read: JSON.parse(await firstLineOf(t, HEAP_FLAGS, "bomb-engine.ts", [broker])) };
}

test("with a heap of 512 MB every bomb is given up or delivered, its neighbours are delivered, and memory stays bounded", async (t) => {
  const { partitions, read } = await readBombs(t);
  assert.ok(partitions >= 10);
  // All but the empty records and the many headers, which are records like others.
  assert.equal(read.givenUp.length, partitions - 2);
  assert.ok(read.records >= 50_000 + 1_000 + partitions * 2);
  const rssMax = DEFAULT_SETTINGS.processBudgetBytes + 128 * MIB;
  assert.ok(read.rssMax <= rssMax, `${read.rssMax} bytes resident`);
  assert.ok(read.stepBytesMax <= STEP_BYTES_MAX, `${read.stepBytesMax} bytes in a step`);
  assert.ok(read.stepItemsMax <= STEP_ITEMS_MAX, `${read.stepItemsMax} items in a step`);
  t.diagnostic(JSON.stringify(read));
});
