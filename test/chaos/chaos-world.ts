import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalStream } from "../../connectors/local/local-stream.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import { openPostgresStore } from "../../src/stores/postgres.ts";
import { type PostgresServer, withClient } from "../servers/postgres.ts";
import { Fleet } from "./fleet.ts";
import { FleetWitness } from "./fleet-witness.ts";
import { keepLeaseLedger, type LeaseLedger, readLeaseLedger } from "./lease-ledger.ts";

export const CHAOS_UUID = "c4a05000-0000-4000-8000-000000000002";
const KEYS_PER_SHARD = 40;
const FUNCTION_TIMEOUT_SECONDS = 60;

/** Processes, their stream, their store with its ledger, and the function that all of them call. */
export interface ChaosWorld {
  readonly fleet: Fleet;
  readonly witness: FleetWitness;
  readonly feed: KeyedFeed;
  readonly store: ProgressStore;
  readonly random: () => number;
  readLedger(): Promise<LeaseLedger>;
  close(): Promise<void>;
}

export async function openChaosWorld(
  { shards, failShare, random }: { shards: number; failShare: number; random: () => number },
  server: PostgresServer,
): Promise<ChaosWorld> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-chaos-"));
  const url = await server.createDatabase();
  // Makes the tables that the ledger watches.
  const store = await openPostgresStore(url);
  await withClient(url, keepLeaseLedger);
  const functionTimeoutMs = FUNCTION_TIMEOUT_SECONDS * 1000;
  const answerMs = { min: 2, max: 20 };
  const witness = await FleetWitness.start({ functionTimeoutMs, random, failShare, answerMs });
  const fleet = new Fleet({
    folder,
    store: url,
    random,
    uuid: CHAOS_UUID,
    functionTimeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    parallelizationFactor: 4,
    urlOf: (life, skewMs) => witness.urlOf(life, skewMs),
  });
  const file = openStreamFile(join(folder, "chaos.db"));
  const stream = file.createStream({ name: "chaos", shards });
  return {
    fleet,
    witness,
    feed: new KeyedFeed(stream, shards * KEYS_PER_SHARD),
    store,
    random,
    readLedger: () => withClient(url, (client) => readLeaseLedger(client, (owner) => fleet.lifeOf(owner))),
    async close() {
      await fleet.killAll();
      witness.close();
      file.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Appends numbered records of many keys, all keys in turn. */
export class KeyedFeed {
  readonly #stream: LocalStream;
  readonly #keys: number;
  appended = 0;

  constructor(stream: LocalStream, keys: number) {
    this.#stream = stream;
    this.#keys = keys;
  }

  append(count: number): void {
    const records = Array.from({ length: count }, (_, index) => {
      const ordinal = Math.floor((this.appended + index) / this.#keys);
      const partitionKey = keyOf((this.appended + index) % this.#keys);
      return { partitionKey, data: `${ordinal}/${"x".repeat(100)}` };
    });
    this.#stream.append(records);
    this.appended += count;
  }

  /** Records that never succeeded, or only behind one of their key that did not. */
  lost(witness: FleetWitness): number {
    let succeeded = 0;
    for (let key = 0; key < this.#keys; key++) succeeded += witness.succeededOf(keyOf(key));
    return this.appended - succeeded;
  }
}

function keyOf(key: number): string {
  return `key-${key}`;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
