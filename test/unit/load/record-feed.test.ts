import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { KeySkew } from "../../../src/load/key-skew.ts";
import { Ledger } from "../../../src/load/ledger.ts";
import { RecordFeed } from "../../../src/load/record-feed.ts";
import { seededRandom } from "../../../src/load/seeded-random.ts";
import type { OutgoingRecord, RecordSender, SendOutcome } from "../../../src/ports/record-sender.ts";

/** A source that answers when the test says so. */
class HeldSender implements RecordSender {
  readonly recordsMax: number = 10;
  readonly bytesMax: number;
  readonly concurrency = 2;
  readonly repeatsKeys: boolean;
  readonly calls: (readonly OutgoingRecord[])[] = [];
  readonly #answers: ((outcomes: readonly SendOutcome[]) => void)[] = [];

  constructor({ repeatsKeys = true, bytesMax = 1_000_000 } = {}) {
    this.repeatsKeys = repeatsKeys;
    this.bytesMax = bytesMax;
  }

  send(records: readonly OutgoingRecord[]): Promise<readonly SendOutcome[]> {
    this.calls.push(records);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  /** To the oldest call without an answer. Resolves when the feed has heard it. */
  async answer(outcome: SendOutcome): Promise<void> {
    const records = this.calls.at(-this.#answers.length) ?? [];
    this.#answers.shift()?.(records.map(() => outcome));
    for (let turns = 0; turns < 4; turns++) await Promise.resolve();
  }

  async close(): Promise<void> {}
}

const RECORDS = 60;

/** A feed of records over six keys that are all due at once. */
function startFeed(t: TestContext, sender: RecordSender) {
  const ledger = new Ledger({ run: "run", isOrdered: true });
  const feed = new RecordFeed({
    sender,
    ledger,
    dueTimes: Array.from({ length: RECORDS }, () => 0).values(),
    keys: new KeySkew(seededRandom(1, "keys"), { count: 6, skew: 0 }),
    sizes: seededRandom(1, "sizes"),
    bytes: 128,
    bytesMax: 128,
    run: "run",
    now: () => 0,
    onSent: () => {},
  });
  t.after(() => feed.close());
  const done = feed.run(0);
  done.catch(() => undefined);
  return { feed, ledger, done };
}

const keysOf = (records: readonly OutgoingRecord[]) => records.map(({ key }) => key);

test("a key is in one call at a time, and its records leave in their order", async (t) => {
  const sender = new HeldSender();
  const { ledger } = startFeed(t, sender);
  for (let answers = 0; ledger.accepted < RECORDS; answers++) {
    assert.ok(answers <= RECORDS, "the feed stands still");
    const open = sender.calls.slice(answers);
    assert.ok(open.length <= sender.concurrency);
    const keys = open.flatMap((records) => [...new Set(keysOf(records))]);
    assert.equal(new Set(keys).size, keys.length, "a key is in two calls at once");
    await sender.answer("accepted");
  }
  const ofKeys = Map.groupBy(sender.calls.flat(), ({ key }) => key);
  for (const records of ofKeys.values()) {
    const indexes = records.map(({ data }) => Number(/"index":(\d+)/.exec(data)?.[1]));
    assert.deepEqual(
      indexes,
      indexes.map((_, place) => place),
    );
  }
});

test("a call holds a key once where the source does not keep the order of one call", (t) => {
  const sender = new HeldSender({ repeatsKeys: false });
  startFeed(t, sender);
  assert.equal(sender.calls.length, 2);
  for (const records of sender.calls) assert.equal(new Set(keysOf(records)).size, records.length);
});

test("a call stays within the source's bytes, but for one record that is larger", (t) => {
  const bounded = new HeldSender({ bytesMax: 300 });
  startFeed(t, bounded);
  assert.deepEqual(
    bounded.calls.map(({ length }) => length),
    [2, 2],
  );
  const narrow = new HeldSender({ bytesMax: 100 });
  startFeed(t, narrow);
  assert.deepEqual(
    narrow.calls.map(({ length }) => length),
    [1, 1],
  );
});

test("what the source refuses, and what it does not answer for, is told to the ledger", async (t) => {
  const sender = new HeldSender();
  const { ledger } = startFeed(t, sender);
  const [first = [], second = []] = sender.calls;
  await sender.answer("refused");
  await sender.answer("unknown");
  const { refused, unknown, generated } = ledger.report();
  assert.deepEqual([refused, unknown, generated], [first.length, second.length, RECORDS]);
});

test("a feed that is closed while calls are open sends nothing more: a failed test does not go on to fill its source", async (t) => {
  const sender = new HeldSender();
  const { feed } = startFeed(t, sender);
  const before = sender.calls.length;
  feed.close();
  await sender.answer("accepted");
  await sender.answer("accepted");
  assert.equal(sender.calls.length, before);
});
