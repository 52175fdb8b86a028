import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Puts events into the SQLite queue of a folder and ends some of them, and writes a line into `answers` for each that
 * was answered. `normal`: by a connection that does not wait for the disk.
 */
const [folder = "", count = "0", mode = "full"] = process.argv.slice(2);
if (mode === "normal") {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    return exec.call(this, sql.replace("synchronous = FULL", "synchronous = NORMAL"));
  };
}
const { openSqliteAsyncQueue } = await import("../../../src/stores/sqlite-async-queue.ts");
const { newAttemptState } = await import("../../../src/model/async-item.ts");

const answers = openSync(join(folder, "answers"), "a");
const queue = await openSqliteAsyncQueue(join(folder, "progress.db"));
const NEVER = new AbortController().signal;
const AT_ONCE = 5;

for (let from = 0; from < Number(count); from += AT_ONCE) {
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => put(`e${from + index}`)));
  if ((from / AT_ONCE) % 3 !== 0) continue;
  const lanes = [{ lane: "f:one", itemsMax: 2, holdMs: 60_000 }];
  const items = await queue.receive({ lanes, itemsMax: 2, bytesMax: 1e9, waitMs: 0 }, NEVER);
  await Promise.all(
    items.map(async (item) => {
      await queue.finish(item, [itemOf(`${item.id}/success`, "d:x")]);
      writeSync(answers, `ended ${item.id}\n`);
    }),
  );
}
await queue.close();

async function put(id: string): Promise<void> {
  await queue.put([itemOf(id, "f:one")]);
  writeSync(answers, `put ${id}\n`);
}

function itemOf(id: string, lane: string) {
  const body = Buffer.alloc(300, id);
  return {
    id,
    kind: "invoke" as const,
    lane,
    qualifier: "",
    body,
    state: newAttemptState(1),
    visibleInMs: 0,
  };
}
