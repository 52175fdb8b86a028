import assert from "node:assert/strict";
import { test } from "node:test";
import type { MappingProgress } from "../../../../src/cli/mapping-progress.ts";
import { mergeProgress } from "../../../../src/cli/processes/merge-progress.ts";
import type { MappingStatus, ShardStatus } from "../../../../src/engine/engine.ts";

function shard(shardId: string): ShardStatus {
  return {
    shardId,
    bufferedRecords: 0,
    bufferedBytes: 0,
    inFlight: 0,
    lagMs: undefined,
    offsetLag: undefined,
    oldestAgeMs: 0,
    caughtUp: true,
    ended: false,
  };
}

function progress(status: Partial<MappingStatus>, polled: number): MappingProgress {
  return {
    status: {
      uuid: "u",
      name: "orders",
      state: "Enabled",
      lastProcessingResult: "OK",
      oldestAgeMs: 0,
      shards: [],
      caughtUp: true,
      ...status,
    },
    totals: { counters: { polled_events: polled } as never, gauges: {} as never, invocations: polled },
  };
}

test("shards of all processes stand in one mapping, in order, and counts are added up", () => {
  const merged = mergeProgress([
    [progress({ shards: [shard("b")] }, 3)],
    [progress({ shards: [shard("c"), shard("a")] }, 4), progress({ uuid: "v", name: "other" }, 1)],
    [],
  ]);
  assert.deepEqual(
    merged.map(({ status }) => status.name),
    ["orders", "other"],
  );
  assert.deepEqual(
    merged[0]?.status.shards.map(({ shardId }) => shardId),
    ["a", "b", "c"],
  );
  assert.deepEqual([merged[0]?.totals.counters.polled_events, merged[0]?.totals.invocations], [7, 7]);
});

test("a mapping is in the state that needs attention most, in whatever process that is", () => {
  const stateOf = (...states: MappingStatus["state"][]) =>
    mergeProgress(states.map((state) => [progress({ state }, 0)]))[0]?.status.state;
  assert.equal(stateOf("Enabled", "Enabled"), "Enabled");
  assert.equal(stateOf("Enabled", "Creating"), "Creating");
  assert.equal(stateOf("Failed", "Creating"), "Failed");
  const caughtUp = mergeProgress([[progress({ caughtUp: true }, 0)], [progress({ caughtUp: false }, 0)]]);
  assert.equal(caughtUp[0]?.status.caughtUp, false);
});

test("a problem of one process is the mapping's, and one that has processed nothing says nothing", () => {
  const resultOf = (...results: string[]) =>
    mergeProgress(results.map((lastProcessingResult) => [progress({ lastProcessingResult }, 0)]))[0]?.status
      .lastProcessingResult;
  const problem = "PROBLEM: Function call failed";
  assert.equal(resultOf("OK", "No records processed"), "OK");
  assert.equal(resultOf("No records processed", "OK"), "OK");
  assert.equal(resultOf("OK", problem), problem);
  assert.equal(resultOf(problem, "OK"), problem);
  assert.equal(resultOf("No records processed", "No records processed"), "No records processed");
});
