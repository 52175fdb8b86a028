import assert from "node:assert/strict";
import { test } from "node:test";
import { ids, SmallQueue } from "./small-queue.ts";

const MINUTES = 10;
/** Of one kind in a minute. */
const LINES_MAX = 3;

test("an outage of a queue's receives writes a few lines a minute, and says how many it left out", async () => {
  const queue = new SmallQueue({}, { settings: { backoffCapMs: 1_000 } });
  queue.receiving = () => {
    throw new Error("away");
  };
  await queue.clock.advance(MINUTES * 60_000);
  const lines = queue.logs.filter(({ message }) => message.startsWith("messages could not be received"));
  assert.ok(lines.length >= MINUTES && lines.length <= (MINUTES + 1) * LINES_MAX, `${lines.length} lines`);
  assert.ok(lines.some(({ fields }) => Number(fields["linesLeftOut"]) > 0));
  assert.ok(queue.count("source_errors") > lines.length);
});

test("settlements that fail for all batches write a few lines a minute", async () => {
  const queue = new SmallQueue({ batchSize: 1 }, { settings: { backoffCapMs: 1_000 } });
  let tries = 0;
  queue.acknowledging = () => {
    tries++;
    throw new Error("away");
  };
  queue.send(...ids("m", 200));
  await queue.clock.advance(60_000);
  const lines = queue.logs.filter(({ message }) => message.startsWith("messages could not be deleted"));
  assert.ok(tries > 20, `${tries} tries`);
  assert.ok(lines.length >= 1 && lines.length <= 2 * LINES_MAX, `${lines.length} lines`);
});
