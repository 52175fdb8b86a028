import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Records that may be in flight, or settled behind the newest checkpoint, at a kill: two batches of each lane. */
const REPEATED_MAX = 2 * 10 * 40;
/** Messages of the queue's three batches that may run at a kill. */
const REPEATED_MESSAGES_MAX = 3 * 10;

test("the quick start survives a kill: it resumes, loses nothing, and a further run invokes nothing", async (t) => {
  const checkout = copyOfCheckout(t);
  const seenFile = join(checkout, ".data/quickstart/seen.jsonl");
  const seenArrivalsFile = join(checkout, ".data/quickstart/arrivals.jsonl");
  const killed = start(t, checkout);
  await until(() => lines(seenFile) > 300 && lines(seenArrivalsFile) > 20);
  killed.child.kill("SIGKILL");
  assert.equal((await killed.ended).signal, "SIGKILL");

  const resumed = await start(t, checkout).ended;
  assert.equal(resumed.status, 0, resumed.output);
  assert.match(resumed.output, /unreadable records isolated +7 of 7, and 0 others/);
  assert.match(resumed.output, /records lost +0/);
  const repeated = Number(/records repeated +([\d,]+)/.exec(resumed.output)?.[1]?.replaceAll(",", ""));
  assert.ok(repeated <= REPEATED_MAX, `${repeated} records were repeated`);
  assert.match(resumed.output, /groups in order +159 of 159/);
  assert.match(resumed.output, /groups blocked by another +0:/);
  assert.match(
    resumed.output,
    /unreadable messages isolated +1 of 1 in the dead-letter queue .*, and 0 others/,
  );
  assert.match(resumed.output, /messages lost +0/);
  const repeatedMessages = Number(/messages repeated +([\d,]+)/.exec(resumed.output)?.[1]);
  assert.ok(repeatedMessages <= REPEATED_MESSAGES_MAX, `${repeatedMessages} messages were repeated`);

  const again = await start(t, checkout).ended;
  assert.equal(again.status, 0, again.output);
  assert.match(again.output, /successful invocations +0 in this run/);
  assert.match(again.output, / {2}invocations +0 in this run/);
  const next = [...again.output.matchAll(/^ {2}(npm (?:start|run) .*?)(?: {2,}.*)?$/gm)].map(
    ([, command]) => command,
  );
  assert.equal(next.length, 3, "it ends with what to try next");
});

/** A checkout of its own, since the quick start keeps its data in its folder. */
function copyOfCheckout(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-quickstart-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ["src", "connectors", "examples", "package.json"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function lines(path: string): number {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}

interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

function start(t: TestContext, checkout: string): { child: ChildProcess; ended: Promise<Ending> } {
  const child = spawn(process.execPath, ["examples/quickstart/start.ts"], { cwd: checkout });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<Ending>((resolve) =>
    child.on("close", (status, signal) => resolve({ status, signal, output })),
  );
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, ended };
}

const POLL_MS = 20;
const POLLS_MAX = 3_000;

async function until(condition: () => boolean): Promise<void> {
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  assert.fail("the function was not invoked often enough");
}
