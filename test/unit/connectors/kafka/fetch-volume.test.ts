import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const MEGABYTES = 300;
/** What is under way; with one reaction a fetch left on the link it was all that had been fetched. */
const GROWTH_BYTES_MAX = 24 * 1024 * 1024;

/** The first line that a script of this folder prints. */
async function firstLine(t: TestContext, flags: readonly string[], script: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...flags, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(() => [`"ended"`]);
  const [line] = await Promise.race([once(lines, "line"), ended]);
  return String(line);
}

test("a link to a broker keeps nothing of what it has fetched", async (t) => {
  const port = await firstLine(t, [], "flood-broker.ts", []);
  const line = await firstLine(t, ["--expose-gc"], "flood-reader.ts", [port, String(MEGABYTES)]);
  const held: readonly number[] = JSON.parse(line);
  assert.equal(held.length, MEGABYTES / 50);
  const growth = Math.max(...held) - (held[0] ?? 0);
  assert.ok(growth <= GROWTH_BYTES_MAX, `array buffers after each 50 MB: ${held.join(", ")}`);
});
