import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EpochEnd } from "../../../../connectors/kafka/fetch-response.ts";
import {
  epochBefore,
  findParting,
  formatLogId,
  LOG_ID_CHARS_MAX,
  parseLogId,
  UNKNOWN_LOG,
  withEpoch,
} from "../../../../connectors/kafka/log-identity.ts";

const TOPIC_ID = "FPruNZFgSManF9HXtVJmMQ";

/** The epochs of one log, each with how many records it wrote: `[[0, 5], [3, 2]]`. */
type Writers = readonly (readonly [epoch: number, records: number])[];

function lineageOf(writers: Writers) {
  let from = 0;
  const epochs: { epoch: number; from: number }[] = [];
  for (const [epoch, records] of writers) {
    epochs.push({ epoch, from });
    from += records;
  }
  return { epochs, end: from };
}

/** As a broker answers OffsetForLeaderEpoch. */
function answersOf(writers: Writers) {
  const { epochs, end } = lineageOf(writers);
  return async (asked: number): Promise<EpochEnd | undefined> => {
    const index = epochs.findLastIndex(({ epoch }) => epoch <= asked);
    const found = epochs[index];
    if (asked > (epochs.at(-1)?.epoch ?? -1)) return undefined;
    if (found === undefined) return { epoch: asked, endOffset: epochs[0]?.from ?? end };
    return { epoch: found.epoch, endOffset: epochs[index + 1]?.from ?? end };
  };
}

test("the text of a log gives back what was known of it, within its bound", () => {
  const known = fc.record({
    topicId: fc.constantFrom(undefined, TOPIC_ID),
    starts: fc.uniqueArray(fc.tuple(fc.nat(), fc.nat(2 ** 31)), {
      maxLength: 30,
      selector: ([epoch]) => epoch,
    }),
  });
  fc.assert(
    fc.property(known, ({ topicId, starts }) => {
      const sorted = starts.toSorted(([a], [b]) => a - b).map(([epoch, from]) => ({ epoch, from }));
      const epochs = sorted.reduce(withEpoch, UNKNOWN_LOG.epochs);
      const text = formatLogId({ topicId, epochs });
      assert.deepEqual(parseLogId(text), { topicId, epochs });
      assert.ok((text ?? "").length <= LOG_ID_CHARS_MAX);
      assert.deepEqual(epochs, sorted.slice(-8), "the newest epochs are kept");
    }),
  );
});

test("a text that is none of a log is not known", () => {
  for (const foreign of [
    "",
    "~",
    "x",
    `${TOPIC_ID}~`,
    `${TOPIC_ID}~1`,
    `${TOPIC_ID}~1.2,`,
    "a".repeat(400),
    "~1.2 3.4",
  ]) {
    assert.deepEqual(parseLogId(foreign), UNKNOWN_LOG, foreign);
  }
});

test("a record is of the newest epoch that began at or before it", () => {
  const { epochs } = lineageOf([
    [2, 5],
    [4, 5],
  ]);
  assert.deepEqual(
    [0, 1, 5, 6, 10].map((offset) => epochBefore(epochs, offset)),
    [-1, 2, 2, 4, 4],
  );
});

const partings: readonly {
  readonly name: string;
  readonly read: Writers;
  readonly now: Writers;
  readonly parting: number;
}[] = [
  { name: "nothing happened", read: [[0, 10]], now: [[0, 12]], parting: 10 },
  {
    name: "another leader wrote on",
    read: [[0, 10]],
    now: [
      [0, 10],
      [1, 5],
    ],
    parting: 10,
  },
  {
    name: "the end was lost, and is longer now",
    read: [[0, 10]],
    now: [
      [0, 6],
      [1, 20],
    ],
    parting: 6,
  },
  {
    name: "a leader and all it wrote are gone",
    read: [
      [0, 5],
      [1, 5],
    ],
    now: [
      [0, 5],
      [2, 20],
    ],
    parting: 5,
  },
  {
    name: "the first leader's log was longer elsewhere",
    read: [
      [0, 5],
      [1, 5],
    ],
    now: [
      [0, 8],
      [2, 20],
    ],
    parting: 5,
  },
  {
    name: "the log has epochs that were never read",
    read: [
      [0, 4],
      [3, 6],
    ],
    now: [
      [0, 4],
      [1, 9],
      [5, 1],
    ],
    parting: 4,
  },
  { name: "all that was read is gone", read: [[1, 10]], now: [[3, 20]], parting: 0 },
  {
    name: "two losses",
    read: [
      [0, 3],
      [1, 3],
      [2, 3],
    ],
    now: [
      [0, 2],
      [4, 30],
    ],
    parting: 2,
  },
];

for (const { name, read, now, parting } of partings) {
  test(`finds where two logs part: ${name}`, async () => {
    const { epochs, end } = lineageOf(read);
    assert.equal(await findParting(epochs, end, answersOf(now)), parting);
  });
}

test("a log of which the brokers say nothing is taken for what it was", async () => {
  assert.equal(await findParting([{ epoch: 3, from: 0 }], 7, async () => undefined), 7);
  assert.equal(await findParting([], 7, async () => ({ epoch: 0, endOffset: 0 })), 7);
});

test("any two logs that share a beginning part no later than it ends", async () => {
  const writers = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 5 })), { maxLength: 5 });
  const log = (first: number, parts: readonly (readonly [number, number])[]) =>
    parts.map(([step, records], index) => [first + 4 * index + step, records] as const);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      writers,
      writers,
      async (shared, a, b) => {
        const base = shared.map((records, epoch) => [epoch, records] as const);
        // Two leaders never have one epoch: the new log's are all higher, and its leader has one without a record too.
        const old = log(shared.length, a);
        const now = [...log(shared.length + 30, b), [99, 0] as const];
        const { epochs, end } = lineageOf([...base, ...old]);
        const { end: sharedEnd } = lineageOf(base);
        const parting = await findParting(epochs, end, answersOf([...base, ...now]));
        assert.equal(parting, old.length === 0 ? end : sharedEnd);
      },
    ),
  );
});
