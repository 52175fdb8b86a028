import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { KafkaFault } from "../../../../connectors/kafka/fault.ts";
import type { FetchedPartition } from "../../../../connectors/kafka/fetch-response.ts";
import { RECOVERY_MS } from "../../../../connectors/kafka/leaders.ts";
import { UNKNOWN_LOG } from "../../../../connectors/kafka/log-identity.ts";
import type { FetchAsk } from "../../../../connectors/kafka/node-fetcher.ts";
import { PartitionReader } from "../../../../connectors/kafka/reader.ts";
import { createKafkaPartition } from "../../../../connectors/kafka/record.ts";
import type { ShardRead } from "../../../../src/ports/stream-source.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { batchBytes } from "./batch-bytes.ts";

const MANY = 1_000_000;
const OFFSET_OUT_OF_RANGE = 1;
const NOT_LEADER = 6;
const AUTHORIZATION_FAILED = 29;

interface World {
  readonly reader: PartitionReader;
  readonly asks: readonly FetchAsk[];
  nowMs: number;
}

/** A reader whose leader gives these answers, one after another; behind them it never answers. */
function worldOf(
  answers: readonly (Partial<FetchedPartition> | Error)[],
  { offset = 0, isOldest = false, oldest = 0, latest = 0 } = {},
): World {
  const asks: FetchAsk[] = [];
  const rest = [...answers];
  const leaders = {
    ask: async (ask: FetchAsk): Promise<FetchedPartition> => {
      asks.push(ask);
      const answer = rest.shift();
      if (answer === undefined) return await new Promise(() => {});
      if (answer instanceof Error) throw answer;
      return {
        partition: 0,
        errorCode: 0,
        highWatermark: 0,
        lastStableOffset: 0,
        aborted: [],
        records: Buffer.alloc(0),
        ...answer,
      };
    },
    oldestOffset: async () => oldest,
    latestOffset: async () => latest,
    epochEnd: async () => undefined,
  };
  const reader = new PartitionReader({
    leaders,
    partition: createKafkaPartition("t", 0),
    offset,
    isOldest,
    log: UNKNOWN_LOG,
    isLost: false,
    onLost: () => undefined,
    onFound: () => undefined,
    now: () => world.nowMs,
    epochMs: () => 10_000,
  });
  const world: World = { asks, nowMs: 0, reader };
  return world;
}

function records(first: number, count: number): Buffer {
  return batchBytes({
    baseOffset: first,
    records: Array.from({ length: count }, (_, index) => ({ offset: first + index, value: "v" })),
  });
}

const offsetsOf = ({ records: read }: ShardRead) => read.map(({ position }) => Number(position));

test("gives what a fetch brought over several reads, and asks again only when it has given all", async () => {
  const bytes = Buffer.concat([records(0, 2), records(2, 2)]);
  const world = worldOf([{ records: bytes, lastStableOffset: 4, highWatermark: 6 }, {}]);
  const first = await world.reader.read(3, MANY, NO_ABORT);
  assert.deepEqual([offsetsOf(first), first.lagMs, first.offsetLag], [[0, 1, 2], 9_000, 3]);
  assert.equal(world.asks.length, 1);
  const second = await world.reader.read(3, MANY, NO_ABORT);
  assert.deepEqual([offsetsOf(second), second.lagMs, second.offsetLag], [[3], 0, 2]);
  assert.equal(world.asks.length, 1);
  void world.reader.read(3, MANY, NO_ABORT);
  await nextTurn();
  const { signal: _, ...asked } = world.asks[1] ?? {};
  assert.deepEqual(asked, {
    ...{ partition: 0, topicId: undefined, offset: 4, lastEpoch: 0, bytesMax: MANY, isIdle: true },
  });
});

test("a reader that is closed waits for no answer any more", async () => {
  const world = worldOf([]);
  const read = world.reader.read(3, MANY, NO_ABORT);
  await nextTurn();
  assert.equal(world.asks[0]?.signal?.aborted, false);
  await world.reader.close();
  assert.equal(world.asks[0]?.signal?.aborted, true);
  await read;
});

test("what is asked for behind a failure does not wait as an idle partition does: whether it is over is to be known soon", async () => {
  const world = worldOf([
    { records: records(0, 1), lastStableOffset: 1, highWatermark: 1 },
    new KafkaFault("unreachable", "The broker is gone."),
    { lastStableOffset: 1, highWatermark: 1 },
    {},
  ]);
  await world.reader.read(3, MANY, NO_ABORT);
  assert.equal((await world.reader.read(3, MANY, NO_ABORT)).lagMs, 9_000);
  assert.equal((await world.reader.read(3, MANY, NO_ABORT)).lagMs, 0);
  void world.reader.read(3, MANY, NO_ABORT);
  await nextTurn();
  assert.deepEqual(
    world.asks.map(({ isIdle }) => isIdle),
    [false, true, false, true],
  );
});

test("a damaged batch is told, asked for once more, and then given up as one record between its neighbours", async () => {
  const good = records(0, 2);
  const damaged = batchBytes({ baseOffset: 2, records: [{ offset: 2 }], body: Buffer.from([9]) });
  const behind = records(3, 1);
  const world = worldOf([
    { records: Buffer.concat([good, damaged, behind]), lastStableOffset: 4 },
    { records: Buffer.concat([damaged, behind]), lastStableOffset: 4 },
    { records: Buffer.concat([damaged, behind]), lastStableOffset: 4 },
  ]);
  assert.deepEqual(offsetsOf(await world.reader.read(10, MANY, NO_ABORT)), [0, 1]);
  await assert.rejects(world.reader.read(10, MANY, NO_ABORT), /offset 2 of t-0 cannot be read/);
  const read = await world.reader.read(10, MANY, NO_ABORT);
  assert.deepEqual(offsetsOf(read), [2, 3]);
  assert.match(read.records[0]?.damage ?? "", /offsets 2 to 2 cannot be read/);
  assert.equal(read.records[1]?.damage, undefined);
});

test("a fetch that not even holds one batch is asked again with more room", async () => {
  const whole = records(0, 3);
  const world = worldOf([
    { records: whole.subarray(0, 65), lastStableOffset: 3 },
    { records: whole, lastStableOffset: 3 },
  ]);
  assert.deepEqual(offsetsOf(await world.reader.read(10, 100, NO_ABORT)), [0]);
  assert.equal(world.asks[0]?.bytesMax, 100);
  assert.ok((world.asks[1]?.bytesMax ?? 0) > 1_000_000);
});

test("a leader that moves is waited for, and shows as a failure when it stays away", async () => {
  const away = new KafkaFault("unreachable", "gone");
  const world = worldOf([away, { errorCode: NOT_LEADER }, away, away]);
  for (let reads = 0; reads < 2; reads++) {
    const read = await world.reader.read(10, MANY, NO_ABORT);
    assert.equal(read.records.length, 0);
    assert.ok(read.readAgainAfterMs > 0);
    assert.ok((read.lagMs ?? 0) > 0);
  }
  world.nowMs = RECOVERY_MS - 1;
  await world.reader.read(10, MANY, NO_ABORT);
  world.nowMs = RECOVERY_MS;
  await assert.rejects(world.reader.read(10, MANY, NO_ABORT), away);
});

test("an answer ends a failure: the next one is waited for again", async () => {
  const away = new KafkaFault("timeout", "slow");
  const world = worldOf([away, { records: records(0, 1), lastStableOffset: 1 }, away]);
  await world.reader.read(10, MANY, NO_ABORT);
  await world.reader.read(10, MANY, NO_ABORT);
  world.nowMs = RECOVERY_MS * 2;
  assert.equal((await world.reader.read(10, MANY, NO_ABORT)).records.length, 0);
});

test("what will not pass shows at once", async () => {
  const wrong = new KafkaFault("authentication", "SASL authentication failed");
  const world = worldOf([wrong, { errorCode: AUTHORIZATION_FAILED }]);
  await assert.rejects(world.reader.read(10, MANY, NO_ABORT), wrong);
  await assert.rejects(world.reader.read(10, MANY, NO_ABORT), /Cluster failed to authorize Lambda/);
});

test("a trimmed offset is continued from the oldest record, and says so once", async () => {
  const world = worldOf(
    [
      { errorCode: OFFSET_OUT_OF_RANGE },
      { records: records(50, 1), lastStableOffset: 51 },
      { lastStableOffset: 51 },
    ],
    { offset: 7, oldest: 50 },
  );
  const read = await world.reader.read(10, MANY, NO_ABORT);
  assert.deepEqual([offsetsOf(read), read.trimmed], [[50], true]);
  assert.equal((await world.reader.read(10, MANY, NO_ABORT)).trimmed, false);
});

test("an oldest record that is trimmed before it could be fetched is no gap", async () => {
  const world = worldOf(
    [{ errorCode: OFFSET_OUT_OF_RANGE }, { records: records(50, 1), lastStableOffset: 51 }],
    { isOldest: true, oldest: 50 },
  );
  const read = await world.reader.read(10, MANY, NO_ABORT);
  assert.deepEqual([offsetsOf(read), read.trimmed], [[50], false]);
});

test("a read that is aborted leaves its fetch to the next one", async () => {
  let answer: (fetched: FetchedPartition) => void = () => {};
  const asked: FetchAsk[] = [];
  const reader = new PartitionReader({
    leaders: {
      ask: (ask) => {
        asked.push(ask);
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
      oldestOffset: async () => 0,
      latestOffset: async () => 0,
      epochEnd: async () => undefined,
    },
    partition: createKafkaPartition("t", 0),
    offset: 0,
    isOldest: true,
    log: UNKNOWN_LOG,
    isLost: false,
    onLost: () => undefined,
    onFound: () => undefined,
    now: () => 0,
    epochMs: () => 0,
  });
  const stop = new AbortController();
  const aborted = reader.read(10, MANY, stop.signal);
  stop.abort();
  await rejectsWith("ERR_MILLRACE_ABORTED", () => aborted);
  const next = reader.read(10, MANY, NO_ABORT);
  answer({
    partition: 0,
    errorCode: 0,
    highWatermark: 2,
    lastStableOffset: 2,
    aborted: [],
    records: records(0, 2),
  });
  assert.deepEqual([offsetsOf(await next), asked.length], [[0, 1], 1]);
});

test("a read that the broker has not answered says that nothing was heard, before a failure and behind it", async () => {
  const world = worldOf([
    { records: records(0, 2), lastStableOffset: 2, highWatermark: 2 },
    {},
    new KafkaFault("timeout", "The broker stands still."),
  ]);
  const heard: boolean[] = [];
  for (let reads = 0; reads < 5; reads++) {
    heard.push((await world.reader.read(1, MANY, NO_ABORT)).nothingHeard !== true);
  }
  assert.deepEqual(heard, [true, true, true, false, false]);
});

test("an offset that is said to be out of range, though the log has it by its own word, is asked for again and nothing is repeated", async () => {
  const world = worldOf(
    [{ errorCode: OFFSET_OUT_OF_RANGE }, { records: records(7, 1), lastStableOffset: 8, highWatermark: 8 }],
    { offset: 7, latest: 8 },
  );
  await assert.rejects(world.reader.read(10, MANY, NO_ABORT), /OFFSET_OUT_OF_RANGE/);
  const read = await world.reader.read(10, MANY, NO_ABORT);
  assert.deepEqual([offsetsOf(read), read.anew, read.trimmed], [[7], undefined, false]);
});

test("an offset behind the end of a log that tells no epochs is a log that went back: it is read from its oldest record", async () => {
  const world = worldOf(
    [{ errorCode: OFFSET_OUT_OF_RANGE }, { records: records(0, 1), lastStableOffset: 1, highWatermark: 1 }],
    { offset: 7, latest: 1 },
  );
  const told = await world.reader.read(10, MANY, NO_ABORT);
  assert.equal(told.anew?.because, "wentBack");
  assert.deepEqual(offsetsOf(await world.reader.read(10, MANY, NO_ABORT)), [0]);
});
