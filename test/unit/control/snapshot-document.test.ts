import assert from "node:assert/strict";
import { test } from "node:test";
import type { MappingSnapshot, ProcessSnapshot } from "../../../src/control/process-snapshot.ts";
import { readSnapshot, writeSnapshot } from "../../../src/control/snapshot-document.ts";
import { reason } from "../../../src/model/reason.ts";
import { SNAPSHOT_BYTES_MAX } from "../../../src/ports/snapshot-store.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

const { counters } = createTelemetry({ log: () => undefined, processMetrics: false }).totals("m");

/** What hardly compresses. */
function noise(seed: number): string {
  let [text, state] = ["", seed * 7919 + 1];
  while (text.length < 60) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += state.toString(36);
  }
  return text;
}

function mappingOf(index: number, shards: number): MappingSnapshot {
  return {
    uuid: noise(index),
    name: `mapping-${index}`,
    source: "arn",
    functionName: "orders",
    state: "Enabled",
    lastProcessingResult: "OK",
    oldestAgeMs: 0,
    caughtUp: false,
    counters,
    invocations: 0,
    shards,
    shardsLeftOut: 0,
    parts: Array.from({ length: shards }, (_, shard) => ({
      part: noise(index * 1_000 + shard),
      holdsWork: true,
      sinceMs: 1,
      reasons: [reason("functionFails", { facts: { problem: noise(index + shard) } })],
    })),
    partsLeftOut: 0,
    errors: { errors: [], leftOut: 0 },
  };
}

function snapshotOf(mappings: readonly MappingSnapshot[]): ProcessSnapshot {
  const times = { startedMs: 1, atMs: 2 };
  return { form: 1, processId: "p", beatsAs: "p", ...times, isEnded: false, mappings, mappingsLeftOut: 0 };
}

test("a snapshot is read as it was written", () => {
  const snapshot = snapshotOf([mappingOf(1, 3), mappingOf(2, 0)]);
  assert.deepEqual(
    JSON.parse(JSON.stringify(readSnapshot(writeSnapshot(snapshot)))),
    JSON.parse(JSON.stringify(snapshot)),
  );
});

for (const [mappings, shards] of [
  [1, 1_000],
  [200, 100],
  [5_000, 1],
] as const) {
  test(`a snapshot of ${mappings} mappings with ${shards} parts stays within 32 KiB, and counts what it leaves out`, () => {
    const whole = snapshotOf(Array.from({ length: mappings }, (_, index) => mappingOf(index, shards)));
    const document = writeSnapshot(whole);
    assert(document.byteLength <= SNAPSHOT_BYTES_MAX, String(document.byteLength));
    const read = readSnapshot(document);
    assert.equal((read?.mappings.length ?? 0) + (read?.mappingsLeftOut ?? 0), mappings);
    assert((read?.mappings.length ?? 0) > 0);
    for (const { parts, partsLeftOut } of read?.mappings ?? [])
      assert.equal(parts.length + partsLeftOut, shards);
    assert.equal(read?.mappings[0]?.parts[0]?.part, whole.mappings[0]?.parts[0]?.part, "the worst stays");
  });
}

test("what is no snapshot, or is one of another form, is not read", () => {
  assert.equal(readSnapshot(Uint8Array.of(1, 2, 3)), undefined);
  const other = { ...snapshotOf([]), form: 2 } as unknown as ProcessSnapshot;
  assert.equal(readSnapshot(writeSnapshot(other)), undefined);
});
