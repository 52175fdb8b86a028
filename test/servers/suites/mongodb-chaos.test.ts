import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Document, MongoClient } from "mongodb";
import { comparePositions } from "../../../connectors/mongodb/position.ts";
import { SeededRandom } from "../../../src/load/seeded-random.ts";
import { MillraceProcess, until } from "../../integration/cli/millrace-process.ts";
import { startTwin, type TwinProcess } from "../mongodb-twin/start-twin.ts";
import { ChangeWitness } from "./mongodb-witness.ts";
import { countUnsettled } from "./unsettled-places.ts";

/** A full run: MILLRACE_CHAOS_RECORDS=100000 MILLRACE_CHAOS_KILLS=50. */
const CHANGES = Number(process.env["MILLRACE_CHAOS_RECORDS"] ?? 10_000);
const KILLS = Number(process.env["MILLRACE_CHAOS_KILLS"] ?? 3);
const PER_KEY = 25;
const KEYS = CHANGES / PER_KEY;
const WRITES = 200;
const FAIL_SHARE = 0.02;
const SEED = 20_261_130;
const UUID = "c4a05000-0000-4000-8000-000000000071";
const SHARD = "shop.orders";
const HANG = { timeout: 1_800_000 };

/** What the server does to getMore while it is read, in turn. */
const FAULTS: readonly Document[] = [
  { errorCode: 43 },
  { errorCode: 11_600, errorLabels: ["ResumableChangeStreamError"] },
  { closeConnection: true },
  { errorCode: 91 },
  { errorCode: 10_107 },
];

test(
  `${CHANGES} changes on the twin of MongoDB, 2 % of invocations failing, ${KILLS} kills and as many pauses and step-downs: none lost, order of documents kept`,
  HANG,
  async (t) => {
    const twin = await startTwin();
    t.after(() => twin.close());
    const random = new SeededRandom(SEED);
    const witness = new ChangeWitness(SHARD, () => random.next() < FAIL_SHARE);
    const { folder, manifest } = writeManifest(t, twin.endpoint, await witness.listen());
    t.after(() => witness.close());
    await twin.connect().db("shop").createCollection("orders");
    const run = () => new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);

    let millrace = run();
    const produced = produce(twin, random);
    let mayRepeat = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      await progress(witness, Math.floor((CHANGES * kill) / (KILLS + 1)), millrace);
      millrace.kill("SIGSTOP");
      await sleep(random.between(10, 300));
      millrace.kill("SIGCONT");
      await sleep(random.between(10, 300));
      millrace.kill("SIGKILL");
      await millrace.ended;
      // What had reached the function when its caller died is still answered.
      await sleep(100);
      const store = join(folder, ".millrace", "progress.db");
      mayRepeat += await countUnsettled(store, UUID, witness.places(), comparePositions);
      millrace = run();
    }
    await produced;
    await progress(witness, CHANGES, millrace);
    millrace.kill("SIGTERM");
    assert.deepEqual(await millrace.ended, { status: 0, signal: null }, millrace.stderr.slice(-2_000));

    const repeated = witness.deliveries - witness.distinct;
    t.diagnostic(`${witness.failures} invocations failed; ${repeated} changes repeated of ${mayRepeat}`);
    assert.deepEqual(witness.breaches.slice(0, 5), []);
    assert.equal(witness.distinct, CHANGES);
    for (let key = 0; key < KEYS; key++) assert.equal(witness.succeededOf(`key-${key}`), PER_KEY);
    assert.ok(repeated <= mayRepeat, `${repeated} changes repeated, where at most ${mayRepeat} may be`);
    assert.ok(witness.failures > 0);
  },
);

/** All changes, shuffled over their documents and in order for each, while the server fails, and steps down. */
async function produce({ connect }: TwinProcess, random: SeededRandom): Promise<void> {
  const keys = Array.from({ length: CHANGES }, (_, index) => index % KEYS);
  for (let last = keys.length - 1; last > 0; last--) {
    const other = random.between(0, last);
    [keys[last], keys[other]] = [keys[other] ?? 0, keys[last] ?? 0];
  }
  const ordinals = new Array<number>(KEYS).fill(0);
  let client = connect();
  const calls = CHANGES / WRITES;
  const stepsDownEvery = Math.max(1, Math.floor(calls / KILLS));
  for (let call = 0; call < calls; call++) {
    const writes = keys.slice(call * WRITES, (call + 1) * WRITES).map((key) => {
      const ordinal = ordinals[key] ?? 0;
      ordinals[key] = ordinal + 1;
      const replacement = { data: `${ordinal}/${"x".repeat(100)}` };
      return { replaceOne: { filter: { _id: `key-${key}` }, replacement, upsert: true } };
    });
    await client.db("shop").collection<Document & { _id: string }>("orders").bulkWrite(writes);
    const data = { failCommands: ["getMore"], ...FAULTS[call % FAULTS.length] };
    if (call % 3 === 0)
      await client.db("admin").command({ configureFailPoint: "failCommand", mode: { times: 1 }, data });
    if (call % stepsDownEvery === 0) {
      await stepDown(client);
      client = connect();
    }
    await sleep(random.between(5, 40));
  }
}

/** Nothing is written meanwhile: a write whose answer is lost would be two changes. */
async function stepDown(client: MongoClient): Promise<void> {
  await client
    .db("admin")
    .command({ replSetStepDown: 0.2 })
    .catch(() => undefined);
}

async function progress(witness: ChangeWitness, changes: number, millrace: MillraceProcess): Promise<void> {
  await until(
    () => witness.distinct >= changes || witness.breaches.length > 0,
    () => `${witness.distinct} of ${changes} changes came: ${millrace.stderr.slice(-2_000)}`,
    240_000,
  );
}

function writeManifest(t: TestContext, endpoint: string, url: string) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-mongodb-chaos-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const manifest = join(folder, "chaos.yaml");
  writeFileSync(
    manifest,
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: witness }
spec: { http: { url: "${url}" } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: chaos }
spec:
  uuid: ${UUID}
  functionName: witness
  eventSourceArn: arn:aws:rds:eu-west-1:123456789012:cluster:shop
  endpoints: { MONGODB_ENDPOINTS: ["${endpoint}"] }
  documentDBEventSourceConfig: { databaseName: shop, collectionName: orders }
  sourceAccessConfigurations: []
  startingPosition: TRIM_HORIZON
  batchSize: 100
  parallelizationFactor: 4
  bisectBatchOnFunctionError: true
`,
  );
  return { folder, manifest };
}
