import assert from "node:assert/strict";
import { test } from "node:test";
import { FleetWitness } from "../../chaos/fleet-witness.ts";

const TIMEOUT_MS = 60_000;

async function startWitness(t: { after(close: () => void): void }, failShare = 0) {
  const options = {
    functionTimeoutMs: TIMEOUT_MS,
    random: () => 0.5,
    failShare,
    answerMs: { min: 0, max: 0 },
  };
  const witness = await FleetWitness.start(options);
  t.after(() => witness.close());
  const invoke = async (life: number, ordinals: readonly number[], { skewMs = 0, atMs = 1_000 } = {}) => {
    const Records = ordinals.map((ordinal) => ({
      eventID: `shard-0:${ordinal}`,
      kinesis: { partitionKey: "key", data: Buffer.from(`${ordinal}/x`).toString("base64") },
    }));
    const response = await fetch(witness.urlOf(life, skewMs), {
      method: "POST",
      headers: { "lambda-runtime-deadline-ms": String(atMs + skewMs + TIMEOUT_MS) },
      body: JSON.stringify({ Records }),
    });
    await response.arrayBuffer();
  };
  return { witness, invoke };
}

test("a record that is left out is seen, and counted as lost to the end", async (t) => {
  const { witness, invoke } = await startWitness(t);
  await invoke(1, [0, 1]);
  await invoke(1, [3]);
  assert.deepEqual(witness.breaches, ["key/3 came when 2 was due"]);
  assert.deepEqual([witness.succeededOf("key"), witness.distinct], [2, 2]);
});

test("records of a key in the wrong order within a batch are seen", async (t) => {
  const { witness, invoke } = await startWitness(t);
  await invoke(1, [1, 0]);
  assert.equal(witness.breachCount, 2);
});

test("a record that succeeds again is a repeat, told with both calls by the true clock", async (t) => {
  const { witness, invoke } = await startWitness(t);
  await invoke(1, [0], { skewMs: 500, atMs: 1_000 });
  await invoke(2, [0, 1], { skewMs: -500, atMs: 2_000 });
  const seen = witness.repeats.map(({ before, after }) =>
    [before, after].map((each) => [each.life, each.startedMs]),
  );
  assert.deepEqual(seen, [
    [
      [1, 1_000],
      [2, 2_000],
    ],
  ]);
  assert.deepEqual([witness.distinct, witness.shards], [2, 1]);
  assert.deepEqual(witness.breaches, []);
});

test("what the function failed has not succeeded", async (t) => {
  const { witness, invoke } = await startWitness(t, 1);
  await invoke(1, [0]);
  await invoke(1, [1]);
  assert.deepEqual(witness.breaches, ["key/1 came when 0 was due"]);
  assert.equal(witness.distinct, 0);
});
