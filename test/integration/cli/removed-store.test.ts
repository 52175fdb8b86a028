import assert from "node:assert/strict";
import { appendFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { httpFunction, MillraceProcess, orderFolder, until } from "./millrace-process.ts";

const FILES = ["", "-wal", "-shm"];
const STOPPED = "stopped";

/** All ten records are processed and checkpointed, and nothing is under way. */
async function quietRun(t: TestContext) {
  const { url, seen } = await httpFunction(t, (_event, response) => response.end("null"));
  const { folder } = orderFolder(t, url, 10);
  const flags = ["--store", "sqlite:progress.db", "--api", "127.0.0.1:0", "--drain-seconds", "2"];
  const run = new MillraceProcess(t, ["run", "-f", "orders.yaml", ...flags], folder);
  const api = await run.apiUrl();
  const isQuiet = async () => {
    const { mappings } = (await (await fetch(`${api}/millrace/v1/status`)).json()) as {
      mappings: { caughtUp: boolean }[];
    };
    return seen.length === 10 && mappings[0]?.caughtUp === true;
  };
  await until(isQuiet, () => run.stderr);
  const store = (suffix: string) => join(folder, `progress.db${suffix}`);
  return { run, seen, folder, store };
}

test("a stop whose store file was removed says so and fails, though all that it had done was kept there", async (t) => {
  const { run, store } = await quietRun(t);
  for (const suffix of FILES) rmSync(store(suffix), { force: true });
  run.kill("SIGTERM");
  assert.equal((await run.ended).status, 1, run.stderr);
  const line = run.logs().find(({ level, message }) => level === "error" && message.startsWith(STOPPED));
  assert.match(String(line?.message), /the store is not there/);
  assert.match(String(line?.["error"]), /progress\.db was removed/);
});

test("a stop whose store's file was moved away fails too, and makes none in its place", async (t) => {
  const { run, store } = await quietRun(t);
  for (const suffix of FILES)
    if (existsSync(store(suffix))) renameSync(store(suffix), `${store(suffix)}.old`);
  run.kill("SIGTERM");
  assert.equal((await run.ended).status, 1, run.stderr);
  assert.equal(existsSync(store("")), false);
});

test("a stop whose store file was removed while records were done names how many come again", async (t) => {
  const { run, seen, folder, store } = await quietRun(t);
  for (const suffix of FILES) rmSync(store(suffix), { force: true });
  const file = openStreamFile(join(folder, "orders.db"));
  file.openStream("orders").append([{ partitionKey: "a", data: "a" }]);
  file.close();
  await until(
    () => seen.length === 11,
    () => run.stderr,
  );
  run.kill("SIGTERM");
  assert.equal((await run.ended).status, 1, run.stderr);
  const line = run.logs().findLast(({ level }) => level === "error");
  assert.deepEqual([line?.message.startsWith(STOPPED), line?.["records"]], [true, 1]);
});

test("a stop whose store is there succeeds", async (t) => {
  const { run, store } = await quietRun(t);
  run.kill("SIGTERM");
  assert.equal((await run.ended).status, 0, run.stderr);
  appendFileSync(store(""), "");
});
