import assert from "node:assert/strict";
import { test } from "node:test";
import type { Arrival } from "../../../examples/quickstart/arrivals-queue.ts";
import { type QueueRun, type SeenBatch, summariseQueue } from "../../../examples/quickstart/queue-summary.ts";

const arrival = (groupId: string, place: number, isPoison = false): Arrival => ({
  groupId,
  place,
  body: `body of ${place}`,
  isPoison,
});
const seen = (arrived: SeenBatch["arrived"], ...failed: string[]): SeenBatch => ({
  requestId: "r",
  arrived,
  failed,
});

/** Two groups in order; the last of `a` is unreadable and was tried twice, while `b` went on. */
const GOOD: QueueRun = {
  sent: [arrival("a", 0), arrival("b", 1), arrival("b", 2), arrival("a", 3, true), arrival("b", 4)],
  seen: [
    seen([["a", 0]], "a"),
    seen([
      ["b", 1],
      ["b", 2],
    ]),
    seen([], "a"),
    seen([["b", 4]]),
  ],
  deadLetters: ["body of 3"],
  waiting: [],
  batchesBefore: 1,
};

function row(run: QueueRun, name: string): string | undefined {
  return summariseQueue(run).rows.find(([title]) => title === name)?.[1];
}

test("a run in which all went well is right, and its rows say what the function saw", () => {
  const { isRight, rows } = summariseQueue(GOOD);
  assert.equal(isRight, true);
  assert.deepEqual(Object.fromEntries(rows), {
    "messages sent": "5 in 2 groups",
    invocations: "3 in this run, 4 in all",
    "groups in order": "2 of 2",
    "groups blocked by another": "0: 1 went on while one was tried again",
    "unreadable messages isolated": "1 of 1 in the dead-letter queue after 2 attempts, and 0 others",
    "messages still on the queue": "0",
    "messages lost": "0",
    "messages repeated": "0",
  });
});

/** Each has one defect; the row that shows it, and what it shows. */
const DEFECTS: readonly (readonly [defect: string, run: QueueRun, name: string, shown: RegExp])[] = [
  ["a message that nobody saw", { ...GOOD, seen: GOOD.seen.slice(0, 3) }, "messages lost", /^1$/],
  [
    "a message that is on the queue still",
    { ...GOOD, seen: GOOD.seen.slice(0, 3), waiting: ["body of 4"] },
    "messages still on the queue",
    /^1$/,
  ],
  [
    "a group out of order",
    {
      ...GOOD,
      seen: [
        ...GOOD.seen.slice(0, 1),
        seen([
          ["b", 2],
          ["b", 1],
        ]),
        ...GOOD.seen.slice(2),
      ],
    },
    "groups in order",
    /^1 of 2$/,
  ],
  [
    "a group that waited until the unreadable message of another was given up",
    {
      ...GOOD,
      seen: [
        seen([["a", 0]], "a"),
        seen([], "a"),
        seen([
          ["b", 1],
          ["b", 2],
          ["b", 4],
        ]),
      ],
    },
    "groups blocked by another",
    /^1: 0 /,
  ],
  ["an unreadable message that is nowhere", { ...GOOD, deadLetters: [] }, "messages lost", /^1$/],
  [
    "a readable message in the dead-letter queue",
    { ...GOOD, deadLetters: ["body of 3", "body of 4"] },
    "unreadable messages isolated",
    /and 1 others$/,
  ],
];

for (const [defect, run, name, shown] of DEFECTS) {
  test(`a run with ${defect} is wrong`, () => {
    assert.match(row(run, name) ?? "", shown);
    assert.equal(summariseQueue(run).isRight, false);
  });
}

test("a message that came twice is counted, keeps its group in order and is not wrong", () => {
  const run = {
    ...GOOD,
    seen: [
      ...GOOD.seen,
      seen([
        ["b", 2],
        ["b", 4],
      ]),
    ],
  };
  assert.match(row(run, "messages repeated") ?? "", /^2 /);
  assert.equal(summariseQueue(run).isRight, true);
});
