import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { comparePositions } from "../../../connectors/kinesis/position.ts";
import { MillraceProcess, until } from "../../integration/cli/millrace-process.ts";
import { useAwsEnvironment } from "../aws-environment.ts";
import { startKinesalite } from "../kinesalite.ts";
import { KinesisTestStream } from "../kinesis-stream.ts";
import { countUnsettled } from "./unsettled-places.ts";
import { Witness } from "./witness.ts";

const RECORDS = Number(process.env["MILLRACE_CHAOS_RECORDS"] ?? 100_000);
const KEYS = 2_000;
const PER_KEY = RECORDS / KEYS;
const SHARDS = 8;
const PUT_RECORDS = 500;
const SEED = 20_261_121;
const UUID = "c4a05000-0000-4000-8000-000000000001";
const HANG = { timeout: 600_000 };

test(
  `${RECORDS} records, 2 % of invocations failing, two splits, a merge and three kills: none lost, order kept`,
  HANG,
  async (t) => {
    const server = await startKinesalite();
    t.after(() => server.close());
    useAwsEnvironment({ AWS_ENDPOINT_URL_KINESIS: server.endpoint });
    const stream = await KinesisTestStream.create(server.endpoint, SHARDS);
    t.after(() => stream.close());
    const random = createRandom(SEED);
    const witness = await Witness.start(random, 0.02);
    t.after(() => witness.close());
    const { folder, manifest } = writeManifest(t, stream.arn, witness.url);
    const run = () => new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);

    let millrace = run();
    const produced = produce(stream, random);
    let mayRepeat = 0;
    for (const share of [0.25, 0.5, 0.75]) {
      await progress(witness, share * RECORDS, millrace);
      millrace.kill("SIGKILL");
      await millrace.ended;
      // What had reached the function when its caller died is still answered.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const store = join(folder, ".millrace", "progress.db");
      const open = await countUnsettled(store, UUID, witness.places(), comparePositions);
      t.diagnostic(`killed at ${witness.distinct} records; ${open} of them were in no durable checkpoint`);
      mayRepeat += open;
      millrace = run();
    }
    await produced;
    await progress(witness, RECORDS, millrace);
    millrace.kill("SIGTERM");
    assert.deepEqual(await millrace.ended, { status: 0, signal: null }, millrace.stderr.slice(-2_000));

    const repeated = witness.deliveries - witness.distinct;
    t.diagnostic(
      `${witness.invocations} invocations, ${witness.failures} failed; ${repeated} records repeated of ${mayRepeat}`,
    );
    assert.deepEqual(witness.breaches.slice(0, 5), []);
    assert.equal(witness.distinct, RECORDS);
    for (let key = 0; key < KEYS; key++) assert.equal(witness.succeededOf(`key-${key}`), PER_KEY);
    assert.ok(repeated <= mayRepeat, `${repeated} records repeated, where at most ${mayRepeat} may be`);
    assert.ok(witness.failures > 0);
    assert.ok((await stream.shards()).length > SHARDS + 4, "the stream was not resharded");
  },
);

/** All records, shuffled over their keys and in order for each, while the stream is split twice and merged once. */
async function produce(stream: KinesisTestStream, random: () => number): Promise<void> {
  const keys = Array.from({ length: RECORDS }, (_, index) => index % KEYS);
  for (let last = keys.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [keys[last], keys[other]] = [keys[other] ?? 0, keys[last] ?? 0];
  }
  const ordinals = new Array<number>(KEYS).fill(0);
  const reshards = new Map([
    [0.15, () => stream.split("shardId-000000000000")],
    [0.4, () => stream.split("shardId-000000000003")],
    [0.6, () => stream.merge(["shardId-000000000005", "shardId-000000000006"])],
  ]);
  for (let from = 0; from < RECORDS; from += PUT_RECORDS) {
    const records = keys.slice(from, from + PUT_RECORDS).map((key) => {
      const ordinal = ordinals[key] ?? 0;
      ordinals[key] = ordinal + 1;
      return { key: `key-${key}`, data: `${ordinal}/${"x".repeat(100)}` };
    });
    await stream.put(records);
    await reshards.get(from / RECORDS)?.();
  }
}

async function progress(witness: Witness, records: number, millrace: MillraceProcess): Promise<void> {
  await until(
    () => witness.distinct >= records || witness.breaches.length > 0,
    () => `${witness.distinct} of ${records} records came: ${millrace.stderr.slice(-2_000)}`,
    240_000,
  );
}

function writeManifest(t: TestContext, arn: string, url: string): { folder: string; manifest: string } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-chaos-"));
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
  eventSourceArn: ${arn}
  startingPosition: TRIM_HORIZON
  batchSize: 100
  parallelizationFactor: 10
  bisectBatchOnFunctionError: true
`,
  );
  return { folder, manifest };
}

/** Mulberry32: the same run of chances for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
