import assert from "node:assert/strict";
import { test } from "node:test";
import { firstLineOf } from "./script-line.ts";

const MEGABYTES = 300;
/** What is under way; with one reaction a fetch left on the link it was all that had been fetched. */
const GROWTH_BYTES_MAX = 24 * 1024 * 1024;

test("a link to a broker keeps nothing of what it has fetched", async (t) => {
  const port = await firstLineOf(t, [], "flood-broker.ts", []);
  const line = await firstLineOf(t, ["--expose-gc"], "flood-reader.ts", [port, String(MEGABYTES)]);
  const held: readonly number[] = JSON.parse(line);
  assert.equal(held.length, MEGABYTES / 50);
  const growth = Math.max(...held) - (held[0] ?? 0);
  assert.ok(growth <= GROWTH_BYTES_MAX, `array buffers after each 50 MB: ${held.join(", ")}`);
});
