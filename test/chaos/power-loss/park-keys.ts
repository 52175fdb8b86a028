import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Parks keys in the SQLite file of a folder, puts records behind them and drains every third, and writes a line into
 * `answers` for each record that was answered. `normal`: by a connection that does not wait for the disk.
 */
const [folder = "", count = "0", mode = "full"] = process.argv.slice(2);
if (mode === "normal") {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    return exec.call(this, sql.replace("synchronous = FULL", "synchronous = NORMAL"));
  };
}
const { openSqliteParkedKeys } = await import("../../../src/stores/sqlite-parked-keys.ts");

const MAPPING = "m";
const BOUNDS = { keysMax: 1e6, recordsMax: 1e6, bytesMax: 1e12 };
const DRAINER = { mapping: MAPPING, epoch: 1 };
const RECORDS_OF_KEY = 4;

const answers = openSync(join(folder, "answers"), "a");
const store = await openSqliteParkedKeys(join(folder, "progress.db"));
const { fence } = await store.open(MAPPING, "shard");
await store.drain(DRAINER);
let attempt = 0;

for (let first = 0; first < Number(count); first += RECORDS_OF_KEY) {
  const key = `k${first}`;
  const positions = Array.from({ length: RECORDS_OF_KEY }, (_, index) => `p${first + index}`);
  const [head = "", ...rest] = positions;
  const parked = await store.create(
    writer(),
    { key, ...entriesOf(head), cause: causeOf(head), parkedMs: 0 },
    BOUNDS,
  );
  if (parked === "fenced" || parked.kind !== "parked") throw new Error(JSON.stringify(parked));
  note("put", head);
  const { id, version, tailVersion } = parked.key;
  const followed = await store.append(writer(), [{ key, tailVersion, ...entriesOf(...rest) }], BOUNDS);
  if (followed === "fenced" || followed[0]?.kind !== "parked") throw new Error(JSON.stringify(followed));
  note("put", ...rest);
  if ((first / RECORDS_OF_KEY) % 3 !== 0) continue;
  await store.move(MAPPING, id, version, { kind: "draining" });
  const entries = await store.head(MAPPING, id, RECORDS_OF_KEY, 1e9);
  note("ending", ...positions);
  if ((await store.advance(DRAINER, id, entries.at(-1)?.seq ?? 0)) !== "closed")
    throw new Error(`${key} is open`);
  note("ended", ...positions);
}
await store.close();

function writer() {
  attempt += 1;
  return { mapping: MAPPING, shardId: "shard", fence, attempt };
}

function note(what: "put" | "ending" | "ended", ...positions: readonly string[]): void {
  for (const position of positions) writeSync(answers, `${what} ${position}\n`);
}

function entriesOf(...positions: readonly string[]) {
  const element = Buffer.alloc(300, positions[0]);
  const entries = positions.map((position) => ({
    shardId: "shard",
    position,
    itemId: position,
    arrivalMs: undefined,
    element,
    trace: undefined,
  }));
  return { log: "shard", entries };
}

function causeOf(position: string) {
  return { condition: "RetryAttemptsExhausted", error: undefined, shardId: "shard", position } as const;
}
