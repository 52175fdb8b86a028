import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ShardPlace, SubscriptionEvent } from "../../../../connectors/kinesis/kinesis-api.ts";
import { hasErrorCode } from "../../../../src/model/errors.ts";
import type { StartPoint, StreamRecord } from "../../../../src/model/record.ts";
import type { ShardReader } from "../../../../src/ports/stream-source.ts";
import { sealAggregate, writeAggregate } from "./aggregate-writer.ts";
import {
  apiRecord,
  CONSUMER_ARN,
  FakeKinesis,
  NO_ABORT,
  openFakeSource,
  SHARD_ID,
  sequence,
} from "./fake-kinesis.ts";

const OLDEST: StartPoint = { kind: "oldest" };

function event(ordinals: readonly number[], lagMs = 0): SubscriptionEvent {
  const continuation = sequence(ordinals.at(-1) ?? 0);
  return { records: ordinals.map((ordinal) => apiRecord(ordinal)), continuation, lagMs, childShards: [] };
}

/** Sends `events`, then stays open in silence until it is ended. */
async function* sendAndStay(events: readonly SubscriptionEvent[], end: AbortSignal) {
  yield* events;
  await new Promise<void>((resolve) => end.addEventListener("abort", () => resolve(), { once: true }));
}

async function openReader(api: FakeKinesis, start: StartPoint = OLDEST): Promise<ShardReader> {
  return await openFakeSource(api, { arn: CONSUMER_ARN }).openReader(SHARD_ID, start, NO_ABORT);
}

async function readTimes(api: FakeKinesis, reader: ShardReader, reads: number, recordsMax = 100) {
  const records: StreamRecord[] = [];
  let last: Awaited<ReturnType<ShardReader["read"]>> | undefined;
  for (let count = 0; count < reads && last?.endOfShard !== true; count++) {
    last = await reader.read(recordsMax, 1_000_000, NO_ABORT);
    records.push(...last.records);
    api.nowMs += last.readAgainAfterMs;
    await turn();
  }
  return { records, positions: records.map(({ position }) => position), last };
}

function placesOf(api: FakeKinesis): readonly (ShardPlace | undefined)[] {
  return api.callsOf("subscribe").map(({ place }) => place);
}

test("a consumer's shard is subscribed to once, and its events come in order", async () => {
  const api = new FakeKinesis();
  api.script = (_place, end) => sendAndStay([event([0, 1], 500), event([2])], end);
  const { positions, last } = await readTimes(api, await openReader(api), 8);
  assert.deepEqual(positions, [sequence(0), sequence(1), sequence(2)]);
  assert.equal(last?.lagMs, 0);
  assert.equal(api.callsOf("subscribe").length, 1);
  assert.equal(api.callsOf("records").length, 0);
});

test("a subscription is renewed before five minutes, behind the last event taken", async () => {
  const api = new FakeKinesis();
  const heartbeats = Array.from({ length: 100 }, () => event([1]));
  api.script = (place, end) =>
    sendAndStay(place.kind === "oldest" ? [event([0, 1]), ...heartbeats] : [event([2])], end);
  const reader = await openReader(api);
  const { positions } = await readTimes(api, reader, 3);
  while (api.callsOf("subscribe").length === 1 && api.nowMs < 300_000) {
    api.nowMs += 5_000;
    positions.push(...(await readTimes(api, reader, 1)).positions);
  }
  assert.ok(api.nowMs >= 290_000 && api.nowMs < 300_000, `renewed at ${api.nowMs}`);
  positions.push(...(await readTimes(api, reader, 4)).positions);
  assert.deepEqual(positions, [sequence(0), sequence(1), sequence(2)]);
  assert.deepEqual(placesOf(api), [{ kind: "oldest" }, { kind: "after", sequenceNumber: sequence(1) }]);
});

test("a subscription in which nothing comes, not even a heartbeat, is told as a failure and opened again", async () => {
  const api = new FakeKinesis();
  api.script = (place, end) => sendAndStay(place.kind === "oldest" ? [event([0])] : [event([1])], end);
  const reader = await openReader(api);
  await readTimes(api, reader, 4);
  api.nowMs += 40_000;
  await assert.rejects(readTimes(api, reader, 1), /brought nothing in 35 s/);
  assert.deepEqual((await readTimes(api, reader, 5)).positions, [sequence(1)]);
});

test("a subscription that is accepted proves nothing before its first event: a proxy may hold all of them back", async () => {
  const api = new FakeKinesis();
  api.script = (_place, end) => sendAndStay([], end);
  const reader = await openReader(api);
  for (let tries = 0; tries < 2; tries++) {
    await assert.rejects(
      async () => {
        for (;;) {
          const { nothingHeard, readAgainAfterMs } = await reader.read(10, 1_000_000, NO_ABORT);
          assert.equal(nothingHeard, true);
          api.nowMs += readAgainAfterMs;
        }
      },
      (error) => hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE"),
    );
  }
  assert.equal(api.callsOf("subscribe").length, 2);
});

test("a subscription that the service ends is opened again, no sooner than the service allows", async () => {
  const api = new FakeKinesis();
  api.script = async function* (place) {
    yield place.kind === "oldest" ? event([0]) : event([1]);
  };
  const { positions } = await readTimes(api, await openReader(api), 10);
  assert.deepEqual(positions.slice(0, 2), [sequence(0), sequence(1)]);
  const [first, second] = api.callsOf("subscribe");
  assert.ok(first !== undefined && second !== undefined && second.atMs - first.atMs >= 5_000);
});

test("a subscription that another holds is asked for again after five seconds, and in the end told", async () => {
  const api = new FakeKinesis();
  api.faults.push({ action: "subscribe", kind: "resourceInUse" });
  api.script = (_place, end) => sendAndStay([event([0])], end);
  const reader = await openReader(api);
  const refused = await reader.read(10, 1_000_000, NO_ABORT);
  assert.equal(refused.records.length, 0);
  assert.ok(refused.readAgainAfterMs >= 5_000 && (refused.lagMs ?? 0) > 0);
  api.nowMs += refused.readAgainAfterMs;
  assert.deepEqual((await readTimes(api, reader, 4)).positions, [sequence(0)]);

  const taken = new FakeKinesis();
  for (let count = 0; count < 4; count++) taken.faults.push({ action: "subscribe", kind: "resourceInUse" });
  const other = await openReader(taken);
  await assert.rejects(readTimes(taken, other, 4), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE"),
  );
});

test("no more than one event is read ahead of what the engine takes", async () => {
  const api = new FakeKinesis();
  let sent = 0;
  api.script = async function* () {
    for (;;) yield event([sent++]);
  };
  const reader = await openReader(api);
  const { records } = await readTimes(api, reader, 4);
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.ok(sent <= records.length + 2, `${sent} events sent, ${records.length} taken`);
});

test("a failing subscription keeps the place of what was taken", async () => {
  const api = new FakeKinesis();
  api.script = async function* (place, end) {
    if (place.kind === "oldest") {
      yield event([0]);
      throw new Error("reset");
    }
    yield* sendAndStay([event([1])], end);
  };
  const reader = await openReader(api);
  assert.deepEqual((await readTimes(api, reader, 2)).positions, [sequence(0)]);
  await assert.rejects(readTimes(api, reader, 1), /reset/);
  assert.deepEqual((await readTimes(api, reader, 5)).positions, [sequence(1)]);
  assert.deepEqual(placesOf(api), [{ kind: "oldest" }, { kind: "after", sequenceNumber: sequence(0) }]);
});

test("the end of a shard is its last event's, behind all of its records", async () => {
  const api = new FakeKinesis();
  api.script = async function* () {
    yield { ...event([0, 1, 2]), continuation: undefined };
  };
  const reader = await openReader(api);
  const { positions, last } = await readTimes(api, reader, 10, 2);
  assert.deepEqual([positions.length, last?.endOfShard], [3, true]);
});

test("a trimmed position is continued from the oldest record, and says so once", async () => {
  const api = new FakeKinesis();
  api.trimmedBelow = sequence(5);
  api.script = (_place, end) => sendAndStay([event([5])], end);
  const reader = await openReader(api, { kind: "after", position: sequence(1) });
  const trimmed: boolean[] = [];
  for (let reads = 0; reads < 20; reads++) {
    const read = await reader.read(10, 1_000_000, NO_ABORT);
    if (read.records.length > 0) trimmed.push(read.trimmed);
    api.nowMs += read.readAgainAfterMs;
    await turn();
  }
  assert.deepEqual(trimmed, [true]);
  const places = placesOf(api);
  assert.deepEqual(places.at(-1), { kind: "oldest" });
  assert.ok(places.length > 2, "the place was given up on one answer");
});

for (const kind of ["invalidArgument", "notFound"] as const) {
  test(`one ${kind} at a known place that passes repeats nothing and is no gap`, async () => {
    const api = new FakeKinesis();
    api.faults.push({ action: "subscribe", kind });
    api.script = (place, end) => {
      const first = place.kind === "oldest" ? 0 : 5;
      return sendAndStay([event(Array.from({ length: 8 - first }, (_, index) => first + index))], end);
    };
    const reader = await openReader(api, { kind: "after", position: sequence(4) });
    const positions: string[] = [];
    for (let reads = 0; reads < 20; reads++) {
      const read = await reader.read(10, 1_000_000, NO_ABORT);
      assert.equal(read.trimmed, false);
      positions.push(...read.records.map(({ position }) => position));
      api.nowMs += read.readAgainAfterMs;
      await turn();
    }
    assert.deepEqual(positions, [sequence(5), sequence(6), sequence(7)]);
  });
}

test("a child that no listing shows yet is waited for, and not taken for one that is gone", async () => {
  const api = new FakeKinesis();
  api.listed = [];
  const source = openFakeSource(api, { arn: CONSUMER_ARN });
  const opening = source.openReader(SHARD_ID, { kind: "oldest" }, NO_ABORT);
  await assert.rejects(opening, (error) => hasErrorCode(error, "ERR_MILLRACE_SOURCE_UNAVAILABLE"));
  assert.equal(await source.knowsShard?.(SHARD_ID, NO_ABORT), true);
});

test("an abort ends a read and the reader goes on where it was", async () => {
  const api = new FakeKinesis();
  api.script = (_place, end) => sendAndStay([event([0])], end);
  const reader = await openReader(api);
  await assert.rejects(reader.read(1, 1_000, AbortSignal.abort()), (error) =>
    hasErrorCode(error, "ERR_MILLRACE_ABORTED"),
  );
  assert.deepEqual((await readTimes(api, reader, 4)).positions, [sequence(0)]);
  await reader.close();
  await reader.close();
});

const AGGREGATE = writeAggregate([
  { key: "a", data: Buffer.from("first") },
  { key: "b", data: Buffer.from("second") },
  { key: "a", data: Buffer.from("third") },
]);

/** A plain record, an aggregate of three, a plain record. */
function aggregatedStream(): FakeKinesis {
  const api = new FakeKinesis();
  const records = [apiRecord(0), apiRecord(1, AGGREGATE), apiRecord(2)];
  api.script = (place, end) => {
    const from =
      place.kind === "oldest"
        ? 0
        : records.findIndex(({ sequenceNumber }) =>
            "sequenceNumber" in place && place.kind === "at"
              ? sequenceNumber >= place.sequenceNumber
              : "sequenceNumber" in place && sequenceNumber > place.sequenceNumber,
          );
    const left = from < 0 ? [] : records.slice(from);
    return sendAndStay([{ records: left, continuation: sequence(2), lagMs: 0, childShards: [] }], end);
  };
  return api;
}

test("user records of an aggregate have its sequence number and arrival, their own key, and places of their own", async () => {
  const api = aggregatedStream();
  const source = openFakeSource(api, { arn: CONSUMER_ARN });
  const { records, positions } = await readTimes(api, await source.openReader(SHARD_ID, OLDEST, NO_ABORT), 4);
  const seq = sequence(1);
  assert.deepEqual(positions, [sequence(0), `${seq}.0`, `${seq}.1`, seq, sequence(2)]);
  const { Records } = JSON.parse(Buffer.from(source.events.encode(records, undefined)).toString());
  const inner = Records.slice(1, 4);
  for (const { kinesis, eventID, eventSourceARN } of inner) {
    assert.equal(kinesis.sequenceNumber, seq);
    assert.equal(eventID, `${SHARD_ID}:${seq}`);
    assert.equal(eventSourceARN, CONSUMER_ARN);
    assert.equal(kinesis.approximateArrivalTimestamp, 1.001);
  }
  assert.deepEqual(
    inner.map(({ kinesis }: { kinesis: { partitionKey: string; data: string } }) => [
      kinesis.partitionKey,
      Buffer.from(kinesis.data, "base64").toString(),
    ]),
    [
      ["a", "first"],
      ["b", "second"],
      ["a", "third"],
    ],
  );
  const sized = records.reduce((sum, record) => sum + record.encodedBytes, records.length - 1);
  assert.equal(source.events.encode(records, undefined).length, source.events.envelopeBytes("shard") + sized);
  assert.deepEqual(
    records.map((record) => source.events.itemIdentifier?.(record)),
    [sequence(0), seq, seq, seq, sequence(2)],
  );
});

test("resuming after any position, inside an aggregate too, yields exactly what follows it", async () => {
  const { positions } = await readTimes(aggregatedStream(), await openReader(aggregatedStream()), 4);
  const api = aggregatedStream();
  const all = (await readTimes(api, await openReader(api), 4)).positions;
  assert.equal(all.length, 5);
  for (const [index, position] of all.entries()) {
    const again = aggregatedStream();
    const reader = await openReader(again, { kind: "after", position });
    assert.deepEqual((await readTimes(again, reader, 4)).positions, all.slice(index + 1));
  }
  assert.deepEqual(positions, all);
});

test("a read of one record at a time cuts an aggregate without loss", async () => {
  const api = aggregatedStream();
  const { positions } = await readTimes(api, await openReader(api), 12, 1);
  assert.equal(positions.length, 5);
});

test("a polled stream delivers an aggregate as one record", async () => {
  const api = new FakeKinesis();
  api.stored = [apiRecord(0, AGGREGATE)];
  const source = openFakeSource(api);
  const reader = await source.openReader(SHARD_ID, OLDEST, NO_ABORT);
  const { records } = await reader.read(10, 1_000_000, NO_ABORT);
  const { Records } = JSON.parse(Buffer.from(source.events.encode(records, undefined)).toString());
  assert.deepEqual(
    Records.map(({ kinesis }: { kinesis: { data: string } }) => kinesis.data),
    [AGGREGATE.toString("base64")],
  );
});

test("compares positions as sequence numbers, and places inside an aggregate before its end", () => {
  const { comparePositions } = openFakeSource(new FakeKinesis());
  const ordered = ["9", "10", "10.0", "10.2", "10.10", "11.0", "11"];
  const sorted = ["9", "10.0", "10.2", "10.10", "10", "11.0", "11"];
  assert.deepEqual(ordered.toSorted(comparePositions), sorted);
  assert.equal(comparePositions("10.2", "10.2"), 0);
});

/** An aggregate with a key so long that its user records would be gigabytes of events. */
function bomb(): Buffer {
  const key = Buffer.alloc(200_000, "k");
  const length = Buffer.from([
    0x0a,
    (key.length & 0x7f) | 0x80,
    ((key.length >> 7) & 0x7f) | 0x80,
    key.length >> 14,
  ]);
  return sealAggregate(
    Buffer.concat([length, key, Buffer.alloc(90_000 * 6, Buffer.from("1a0408001a00", "hex"))]),
  );
}

test("a bomb of an aggregate is one record, and its neighbours go on", async () => {
  const api = new FakeKinesis();
  const records = [
    apiRecord(0),
    apiRecord(1, bomb()),
    apiRecord(2, writeAggregate([{ key: "a", data: Buffer.from("x") }])),
  ];
  api.script = (_place, end) =>
    sendAndStay([{ records, continuation: sequence(2), lagMs: 0, childShards: [] }], end);
  const { positions } = await readTimes(api, await openReader(api), 8);
  assert.deepEqual(positions, [sequence(0), sequence(1), sequence(2)]);
});

test("of a large aggregate no more is made than is wanted", async () => {
  const api = new FakeKinesis();
  const users = Array.from({ length: 5_000 }, (_, index) => ({
    key: `k${index % 7}`,
    data: Buffer.from(String(index)),
  }));
  const records = [apiRecord(0, writeAggregate(users)), apiRecord(1)];
  api.script = (_place, end) =>
    sendAndStay([{ records, continuation: sequence(1), lagMs: 0, childShards: [] }], end);
  const reader = await openReader(api);
  await readTimes(api, reader, 1);
  const small = await reader.read(10_000, 20_000, NO_ABORT);
  assert.ok(small.records.length > 10 && small.records.length < 50, `${small.records.length} records`);
  const { positions } = await readTimes(api, reader, 60);
  assert.equal(positions.length + small.records.length, users.length + 1);
  assert.equal(positions.at(-1), sequence(1));
});

test("one event without a continuation, records and children is not believed to be the end of a shard", async () => {
  const api = new FakeKinesis();
  let subscriptions = 0;
  api.script = (_place, end) =>
    sendAndStay([++subscriptions === 1 ? { ...event([]), continuation: undefined } : event([0])], end);
  const { positions, last } = await readTimes(api, await openReader(api), 10);
  assert.deepEqual([positions, last?.endOfShard], [[sequence(0)], false]);
});

test("a shard that two subscriptions one after another say to be over is over", async () => {
  const api = new FakeKinesis();
  api.script = (_place, end) => sendAndStay([{ ...event([]), continuation: undefined }], end);
  const { last } = await readTimes(api, await openReader(api), 10);
  assert.deepEqual([last?.endOfShard, api.callsOf("subscribe").length], [true, 2]);
});
