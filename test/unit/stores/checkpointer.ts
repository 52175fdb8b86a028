import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { openSqliteStore } from "../../../src/stores/sqlite.ts";

/** Run as a process of its own: writes checkpoint after checkpoint and prints each revision once it is stored. */
const [path = "", mapping = ""] = process.argv.slice(2);
const REVISIONS_MAX = 100_000;
const shardId = "shard-a";
const checkpoint = initialCheckpoint({ kind: "oldest" });
const store = await openSqliteStore(path);
await store.initialise(mapping, [{ shard: { shardId, parentShardIds: [], closed: false }, checkpoint }]);
const taken = await store.acquire(mapping, shardId, "one", { epoch: 0, counter: 0 });
const lease = { shardId, owner: "one", epoch: taken?.epoch ?? 0 };
for (let revision = 1; revision <= REVISIONS_MAX; revision++) {
  const result = await store.checkpoint(mapping, lease, { ...checkpoint, revision });
  if (result !== "stored") throw new Error(`revision ${revision} was ${result}`);
  await new Promise((resolve) => process.stdout.write(`${revision}\n`, resolve));
}
