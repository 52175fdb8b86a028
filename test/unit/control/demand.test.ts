import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BacklogBook, type WantedMapping } from "../../../src/control/demand/backlog-book.ts";
import { dueTicks } from "../../../src/control/demand/due-ticks.ts";
import { StreamBacklog } from "../../../src/control/demand/stream-backlog.ts";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { StartPoint, StreamRecord } from "../../../src/model/record.ts";
import type { ShardProgress } from "../../../src/ports/progress-store.ts";
import type { BacklogSight } from "../../../src/ports/source-backlog.ts";
import type { ShardRead, StreamSource } from "../../../src/ports/stream-source.ts";
import { writePlace } from "../../../src/schedules/cursor-place.ts";
import { createSystemClock } from "../../../src/system/clock.ts";

const NEVER = new AbortController().signal;
const EMPTY: ShardRead = {
  ...{ records: [], endOfShard: false, lagMs: 0, readAgainAfterMs: 0, trimmed: false },
};
const RECORD = {} as StreamRecord;

const progressOf = (position: string, ended = false): ShardProgress => ({
  ...{
    shardId: "shard-1",
    parentShardIds: [],
    owner: undefined,
    epoch: 1,
    counter: 1,
    handoverTo: undefined,
  },
  checkpoint: initialCheckpoint({ kind: "after", position }, ended),
});

/** A stream of which a test says what each read gives. */
function openStream({
  shards = ["shard-1"],
  rows,
}: {
  shards?: string[];
  rows: () => readonly ShardProgress[];
}) {
  const opened: StartPoint[] = [];
  const asked: number[] = [];
  const reads: ShardRead[] = [];
  const source = {
    listShards: async () => shards.map((shardId) => ({ shardId, parentShardIds: [], closed: false })),
    openReader: async (_shardId: string, start: StartPoint) => {
      opened.push(start);
      return {
        read: async (recordsMax: number) => {
          asked.push(recordsMax);
          return reads.shift() ?? EMPTY;
        },
        close: async () => undefined,
      };
    },
    close: async () => undefined,
  } as unknown as StreamSource;
  const backlog = new StreamBacklog({
    mapping: { uuid: "u", name: "orders" },
    source,
    progress: { list: async () => rows() },
    clock: createSystemClock(),
  });
  return { backlog, opened, asked, reads };
}

describe("what waits in a stream, from its checkpoints on", () => {
  test("a record behind the checkpoint waits until the checkpoint moves, and is read once", async () => {
    let position = "5";
    const { backlog, opened, asked, reads } = openStream({ rows: () => [progressOf(position)] });
    assert.deepEqual(await backlog.look(NEVER), { elements: 0, parts: 0 });
    reads.push({ ...EMPTY, records: [RECORD] });
    assert.deepEqual(await backlog.look(NEVER), { elements: 1, parts: 1 });
    assert.deepEqual(await backlog.look(NEVER), { elements: 1, parts: 1 }, "it is still there");
    position = "6";
    assert.deepEqual(await backlog.look(NEVER), { elements: 0, parts: 0 });
    assert.deepEqual(opened, [
      { kind: "after", position: "5" },
      { kind: "after", position: "6" },
    ]);
    assert.deepEqual([...new Set(asked)], [1]);
  });

  test("the end of a shard, what was trimmed and another log are work, too", async () => {
    for (const read of [
      { endOfShard: true },
      { trimmed: true },
      { anew: { because: "remade", from: { kind: "oldest" }, told: "" } },
    ] as const) {
      const { backlog, reads } = openStream({ rows: () => [progressOf("5")] });
      reads.push({ ...EMPTY, ...read });
      assert.equal((await backlog.look(NEVER)).parts, 1, JSON.stringify(read));
    }
  });

  test("an empty page far behind the tip is no end: the reader goes on, and something waits meanwhile", async () => {
    const { backlog, opened, reads } = openStream({ rows: () => [progressOf("5")] });
    for (let page = 0; page < 5; page++) reads.push({ ...EMPTY, lagMs: 60_000 });
    assert.equal((await backlog.look(NEVER)).parts, 1);
    assert.equal((await backlog.look(NEVER)).parts, 1);
    assert.equal((await backlog.look(NEVER)).parts, 0, "it has come to the tip");
    assert.equal(opened.length, 1);
  });

  test("a mapping that was never begun waits, a shard without a row does, and one that has ended does not", async () => {
    assert.equal((await openStream({ rows: () => [], shards: [] }).backlog.look(NEVER)).parts, 1);
    const grown = openStream({ rows: () => [progressOf("5")], shards: ["shard-1", "shard-2"] });
    assert.equal((await grown.backlog.look(NEVER)).parts, 1);
    assert.equal((await openStream({ rows: () => [progressOf("5", true)] }).backlog.look(NEVER)).parts, 0);
  });
});

test("a source that cannot be asked counts as it did last, and one at least", async () => {
  let sight: BacklogSight | undefined;
  const looks = {
    look: async () => {
      if (sight === undefined)
        throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "the broker is away");
      return sight;
    },
    close: async () => undefined,
  };
  const mapping = { uuid: "u", name: "jobs" };
  const resource = { kind: "queue", mapping, connector: { openBacklog: async () => looks } };
  const wanted = { version: 1, resource } as unknown as WantedMapping;
  const book = new BacklogBook({ progress: { list: async () => [] }, clock: createSystemClock() });
  const problem = "ERR_MILLRACE_SOURCE_UNAVAILABLE: the broker is away";
  assert.deepEqual(await book.look(wanted), { elements: 1, parts: 1, problem });
  sight = { elements: 7, parts: 1 };
  assert.deepEqual(await book.look(wanted), sight);
  sight = undefined;
  assert.deepEqual(await book.look(wanted), { elements: 7, parts: 1, problem });
  const mute = { version: 1, resource: { ...resource, connector: {} } } as unknown as WantedMapping;
  const told = await new BacklogBook({ progress: { list: async () => [] }, clock: createSystemClock() }).look(
    mute,
  );
  assert.match(told.problem ?? "", /The queue of jobs tells nobody but its readers what it holds\./);
  await book.close();
});

test("a schedule is due at its next tick, at one that nobody enqueued, and at once before anybody began with it", () => {
  const nowMs = Date.UTC(2026, 0, 1, 12);
  const document = JSON.stringify({
    ...{ form: 2, generation: 3, conditions: [], lastModifiedMs: nowMs - 1_000, owner: { kind: "api" } },
    members: { createdMs: 0, sinceMs: 0 },
    spec: {
      ...{ scheduleExpression: "cron(30 * * * ? *)", flexibleTimeWindow: { mode: "OFF" }, state: "ENABLED" },
      target: { arn: "orders:live", roleArn: "arn:aws:iam::000000000000:role/x" },
    },
  });
  const row = { uid: "s-1", kind: "schedule", name: "default/nightly", claims: [], version: 1, document };
  const due = (place: string | undefined) =>
    dueTicks([row], new Map(place === undefined ? [] : [["schedule/s-1", place]]), nowMs);
  const tick = (dueMs: number) => [{ schedule: "default/nightly", functionNames: ["orders"], dueMs }];
  const at = (minutes: number) => nowMs + minutes * 60_000;
  assert.deepEqual(due(writePlace(3, at(-30), "tick").text), tick(at(30)));
  assert.deepEqual(due(writePlace(3, at(-31), "tick").text), tick(at(-30)));
  assert.deepEqual(due(undefined), tick(nowMs));
  assert.deepEqual(due(writePlace(2, at(-30), "tick").text), tick(nowMs), "it was changed");
  assert.deepEqual(due("gone"), []);
});
