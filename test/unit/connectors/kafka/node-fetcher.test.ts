import assert from "node:assert/strict";
import { test } from "node:test";
import type { FetchPayload } from "../../../../connectors/kafka/broker-link.ts";
import type { Lane } from "../../../../connectors/kafka/cluster.ts";
import { KafkaFault } from "../../../../connectors/kafka/fault.ts";
import {
  type FetchAsk,
  IDLE_ANSWER_MS,
  LONG_POLL_MS,
  NodeFetcher,
} from "../../../../connectors/kafka/node-fetcher.ts";
import { POLL_PARTITIONS } from "../../../../connectors/kafka/poll-lanes.ts";
import type { FetchArgs } from "../../../../connectors/kafka/requests.ts";
import { fetchResponseBytes, type SketchedPartition } from "./fetch-bytes.ts";

const RECORDS = Buffer.from("records");

interface Request {
  readonly lane: Lane;
  readonly partitions: readonly number[];
  readonly maxWaitMs: number;
  answer(partitions: readonly SketchedPartition[]): void;
  fail(error: Error): void;
}

/** A broker that answers when the test says so. */
class HeldBroker {
  nowMs = 0;
  readonly fetcher = new NodeFetcher({ cluster: this, topic: "t", nodeId: 1, now: () => this.nowMs });
  readonly #requests: Request[] = [];
  #arrived = () => {};

  async broker(_nodeId: number, lane: Lane) {
    return {
      address: "broker:9092",
      fetch: (args: FetchArgs) =>
        new Promise<FetchPayload>((resolve, reject) => {
          this.#requests.push({
            lane,
            partitions: args.topics[0]?.partitions.map(({ partition }) => partition) ?? [],
            maxWaitMs: args.maxWaitTime,
            answer: (partitions) => resolve({ version: 11, payload: fetchResponseBytes(partitions) }),
            fail: reject,
          });
          this.#arrived();
        }),
    };
  }

  async request(): Promise<Request> {
    while (this.#requests.length === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    const [request] = this.#requests.splice(0, 1);
    assert.ok(request !== undefined);
    return request;
  }

  get unanswered(): number {
    return this.#requests.length;
  }
}

function ask(partition: number, part: Partial<FetchAsk> = {}): FetchAsk {
  return { partition, topicId: undefined, offset: 0, lastEpoch: -1, bytesMax: 1_000, isIdle: false, ...part };
}

test("partitions that are asked for together are fetched by one request, which does not wait", async () => {
  const broker = new HeldBroker();
  const answers = Promise.all([broker.fetcher.ask(ask(0)), broker.fetcher.ask(ask(1))]);
  const request = await broker.request();
  assert.deepEqual([request.partitions, request.maxWaitMs], [[0, 1], 0]);
  request.answer([
    { partition: 1, records: RECORDS, lastStableOffset: 9 },
    { partition: 0, errorCode: 6 },
  ]);
  const [first, second] = await answers;
  assert.deepEqual([first.errorCode, second.records, second.lastStableOffset], [6, RECORDS, 9]);
  broker.fetcher.close();
});

test("a partition without records waits in a long poll, and a busy one is fetched meanwhile", async () => {
  const broker = new HeldBroker();
  const idle = broker.fetcher.ask(ask(0));
  (await broker.request()).answer([{ partition: 0 }]);
  const poll = await broker.request();
  assert.deepEqual([poll.lane, poll.partitions, poll.maxWaitMs], ["poll", [0], LONG_POLL_MS]);
  const busy = broker.fetcher.ask(ask(1));
  const look = await broker.request();
  assert.deepEqual([look.lane, look.partitions], ["fetch", [1]]);
  look.answer([{ partition: 1, records: RECORDS, lastStableOffset: 1 }]);
  assert.deepEqual((await busy).records, RECORDS);
  poll.answer([{ partition: 0, records: RECORDS, lastStableOffset: 1 }]);
  assert.deepEqual((await idle).records, RECORDS);
  broker.fetcher.close();
});

test("an idle partition stays in the polls until its time is over, and is answered empty then", async () => {
  const broker = new HeldBroker();
  const idle = broker.fetcher.ask(ask(0, { isIdle: true }));
  for (const nowMs of [LONG_POLL_MS, 2 * LONG_POLL_MS, IDLE_ANSWER_MS - 1]) {
    const poll = await broker.request();
    assert.deepEqual([poll.lane, poll.partitions], ["poll", [0]]);
    broker.nowMs = nowMs;
    poll.answer([{ partition: 0 }]);
  }
  const last = await broker.request();
  broker.nowMs = IDLE_ANSWER_MS;
  last.answer([{ partition: 0 }]);
  assert.equal((await idle).records.length, 0);
  broker.fetcher.close();
});

test("a partition with records that nobody may read yet is answered within a poll: it is not at rest", async () => {
  const broker = new HeldBroker();
  const open = broker.fetcher.ask(ask(0, { isIdle: true, offset: 5 }));
  const poll = await broker.request();
  broker.nowMs = LONG_POLL_MS;
  poll.answer([{ partition: 0, lastStableOffset: 5, highWatermark: 7 }]);
  assert.equal((await open).highWatermark, 7);
  broker.fetcher.close();
});

test("of many partitions that are idle for as long, few are answered at once", async () => {
  const broker = new HeldBroker();
  let answered = 0;
  for (let partition = 0; partition < 100; partition++) {
    void broker.fetcher.ask(ask(partition, { isIdle: true })).then(
      () => answered++,
      () => undefined,
    );
  }
  const poll = await broker.request();
  broker.nowMs = IDLE_ANSWER_MS;
  poll.answer(poll.partitions.map((partition) => ({ partition })));
  const next = await broker.request();
  assert.equal(next.partitions.length + answered, 100);
  assert.ok(answered > 0 && answered <= 20, `${answered} of 100`);
  broker.fetcher.close();
});

test("a partition that comes too late for a poll of others is polled beside it, and with them in the next", async () => {
  const broker = new HeldBroker();
  const both = [0, 1].map((partition) => broker.fetcher.ask(ask(partition, { isIdle: true })));
  (await broker.request()).answer([
    { partition: 0, records: RECORDS, lastStableOffset: 1 },
    { partition: 1 },
  ]);
  await both[0];
  both[1]?.catch(() => undefined);
  const poll = await broker.request();
  assert.deepEqual([poll.lane, poll.partitions], ["poll", [1]]);
  const second = broker.fetcher.ask(ask(0, { offset: 1, isIdle: true }));
  for (let round = 0; round < 3; round++) {
    const late = await broker.request();
    assert.deepEqual([late.lane, late.partitions, late.maxWaitMs <= 50], ["late", [0], true]);
    if (round < 2) {
      late.answer([{ partition: 0 }]);
      continue;
    }
    // The poll is over first: what is polled meanwhile is over soon, so that the next has both.
    poll.answer([{ partition: 1 }]);
    const short = await broker.request();
    assert.deepEqual([short.lane, short.partitions, short.maxWaitMs <= 50], ["poll", [1], true]);
    late.answer([{ partition: 0 }]);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(broker.unanswered, 0);
    short.answer([{ partition: 1 }]);
  }
  const next = await broker.request();
  assert.deepEqual([next.lane, next.partitions.toSorted()], ["poll", [0, 1]]);
  assert.equal(next.maxWaitMs, LONG_POLL_MS);
  next.answer([{ partition: 0, records: RECORDS, lastStableOffset: 2 }, { partition: 1 }]);
  assert.deepEqual((await second).records, RECORDS);
  broker.fetcher.close();
});

test("a partition that was looked at while a poll of others is under way does not wait for its end", async () => {
  const broker = new HeldBroker();
  broker.fetcher.ask(ask(1, { isIdle: true })).catch(() => undefined);
  const poll = await broker.request();
  assert.deepEqual(poll.partitions, [1]);
  const asked = broker.fetcher.ask(ask(0));
  (await broker.request()).answer([{ partition: 0 }]);
  const late = await broker.request();
  assert.deepEqual([late.lane, late.partitions], ["late", [0]]);
  late.answer([{ partition: 0, records: RECORDS, lastStableOffset: 1 }]);
  assert.deepEqual((await asked).records, RECORDS);
  broker.fetcher.close();
});

test("a thousand partitions at rest share eight polls: a record wakes its own, and the others go on", async () => {
  const broker = new HeldBroker();
  const partitions = Array.from({ length: 8 * POLL_PARTITIONS }, (_, partition) => partition);
  const asks = partitions.map((partition) => broker.fetcher.ask(ask(partition, { isIdle: true })));
  const others = Promise.allSettled(asks.slice(1));
  const polls: Request[] = [];
  for (let poll = 0; poll < 8; poll++) polls.push(await broker.request());
  assert.equal(new Set(polls.map(({ lane }) => lane)).size, 8);
  assert.deepEqual(
    polls.map((poll) => [poll.partitions.length, poll.maxWaitMs]),
    polls.map(() => [POLL_PARTITIONS, LONG_POLL_MS]),
  );
  assert.deepEqual(polls.flatMap((poll) => poll.partitions).toSorted(inOrder), partitions);
  const [own] = polls;
  assert.ok(own?.partitions.includes(0) === true);
  const rest = own.partitions.filter((partition) => partition !== 0);
  own.answer([
    { partition: 0, records: RECORDS, lastStableOffset: 1 },
    ...rest.map((partition) => ({ partition })),
  ]);
  assert.deepEqual((await asks[0])?.records, RECORDS);
  const next = await broker.request();
  assert.deepEqual([next.lane, next.partitions.toSorted(inOrder)], [own.lane, rest.toSorted(inOrder)]);
  assert.equal(broker.unanswered, 0, "no other poll was ended by it");
  broker.fetcher.close();
  for (const { fail } of [...polls.slice(1), next]) fail(new KafkaFault("closed", "gone"));
  await others;
});

test("more partitions than eight polls are meant for are in eight polls all the same", async () => {
  const broker = new HeldBroker();
  const count = 16 * POLL_PARTITIONS;
  const asks = Array.from({ length: count }, (_, partition) =>
    broker.fetcher.ask(ask(partition, { isIdle: true })),
  );
  const ended = Promise.allSettled(asks);
  const polls: Request[] = [];
  for (let poll = 0; poll < 8; poll++) polls.push(await broker.request());
  assert.equal(new Set(polls.flatMap(({ partitions }) => partitions)).size, count);
  assert.equal(broker.unanswered, 0);
  broker.fetcher.close();
  for (const { fail } of polls) fail(new KafkaFault("closed", "gone"));
  await ended;
});

test("what is asked no more is in no further request, and a partition is in none twice", async () => {
  const broker = new HeldBroker();
  const left = new AbortController();
  const old = broker.fetcher.ask(ask(0, { isIdle: true, signal: left.signal }));
  const poll = await broker.request();
  left.abort();
  poll.answer([{ partition: 0 }]);
  await assert.rejects(old, /closed/);
  const asks = [7, 8].map((offset) => broker.fetcher.ask(ask(0, { offset })));
  for (const asked of asks) {
    const look = await broker.request();
    assert.deepEqual([look.lane, look.partitions], ["fetch", [0]]);
    look.answer([{ partition: 0, records: RECORDS, lastStableOffset: 9 }]);
    await asked;
  }
  broker.fetcher.close();
});

test("a partition for which an answer had no room comes first in the next request", async () => {
  const broker = new HeldBroker();
  const full = broker.fetcher.ask(ask(0));
  const starved = broker.fetcher.ask(ask(1));
  (await broker.request()).answer([
    { partition: 0, records: RECORDS, lastStableOffset: 5 },
    { partition: 1, lastStableOffset: 5 },
  ]);
  await full;
  void broker.fetcher.ask(ask(0, { offset: 1 })).catch(() => undefined);
  const next = await broker.request();
  assert.deepEqual([next.lane, next.partitions], ["fetch", [1, 0]]);
  next.answer([{ partition: 1, records: RECORDS, lastStableOffset: 5 }]);
  assert.deepEqual((await starved).records, RECORDS);
  broker.fetcher.close();
});

test("a partition that nobody asks for is not fetched", async () => {
  const broker = new HeldBroker();
  const asked = broker.fetcher.ask(ask(0));
  (await broker.request()).answer([{ partition: 0, records: RECORDS, lastStableOffset: 1 }]);
  await asked;
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(broker.unanswered, 0);
  broker.fetcher.close();
});

test("a failed request rejects all that waited for it, and the next ask is sent again", async () => {
  const broker = new HeldBroker();
  const asks = Promise.allSettled([broker.fetcher.ask(ask(0)), broker.fetcher.ask(ask(1))]);
  (await broker.request()).fail(new KafkaFault("unreachable", "gone"));
  assert.deepEqual(
    (await asks).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  const again = broker.fetcher.ask(ask(0));
  (await broker.request()).answer([{ partition: 0, records: RECORDS, lastStableOffset: 1 }]);
  assert.deepEqual((await again).records, RECORDS);
  broker.fetcher.close();
});

test("closing rejects what waits", async () => {
  const broker = new HeldBroker();
  const asked = broker.fetcher.ask(ask(0));
  broker.fetcher.close();
  await assert.rejects(asked, /closed/);
  await assert.rejects(broker.fetcher.ask(ask(0)), /closed/);
});

function inOrder(a: number, b: number): number {
  return a - b;
}
