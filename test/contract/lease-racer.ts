import { createInterface } from "node:readline";
import { parseStoreUrl } from "../../src/cli/store-url.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";

/**
 * Run as a process of its own, `lease-racer.ts STORE MAPPING OWNER [CLOCK_OFFSET_MS]`: looks at all leases of a mapping
 * and says `ready`; at the first line of its input it takes every lease as it saw it, and prints the shards that it
 * got.
 */
const [url = "", mapping = "", owner = "", offset = "0"] = process.argv.slice(2);
shiftClock(Number(offset));
const store = await openStore(url);
const seen = await store.list(mapping);
process.stdout.write("ready\n");
for await (const _ of createInterface({ input: process.stdin })) break;
const taken = await Promise.all(
  seen.map(async (row) => ((await store.acquire(mapping, row.shardId, owner, row)) ? [row.shardId] : [])),
);
const leases = taken.flat().map((shardId) => ({ shardId, owner, epoch: 1 }));
const renewals = await Promise.all(leases.map((lease) => store.renew(mapping, lease)));
if (renewals.some(({ kind }) => kind !== "renewed")) throw new Error("a lease that was taken was not held");
await new Promise((resolve) => process.stdout.write(`${JSON.stringify(taken.flat())}\n`, resolve));
await store.close();
process.stdin.destroy();

async function openStore(text: string): Promise<ProgressStore> {
  const store = parseStoreUrl(text);
  switch (store.kind) {
    case "sqlite":
      return (await import("../../src/stores/sqlite.ts")).openSqliteStore(store.path);
    case "postgres":
      return (await import("../../src/stores/postgres.ts")).openPostgresStore(store.url);
    case "dynamodb":
      return (await import("../../src/stores/dynamodb.ts")).openDynamodbStore(store.table);
    case "memory":
      throw new Error("processes share no memory");
  }
}

/** As on a host whose clock is wrong. */
function shiftClock(offsetMs: number): void {
  const now = Date.now.bind(Date);
  const Shifted = class extends Date {
    constructor(...words: readonly [] | readonly [number | string]) {
      if (words[0] === undefined) super(now() + offsetMs);
      else super(words[0]);
    }
    static override now(): number {
      return now() + offsetMs;
    }
  };
  if (offsetMs !== 0) globalThis.Date = Shifted as DateConstructor;
}
