import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ledger } from "../../../src/load/ledger.ts";
import type { LedgerAttempt } from "../../../src/load/ledger-report.ts";
import type { ViolationKind } from "../../../src/load/ledger-violations.ts";

const RUN = "run1";
const CHECKPOINT_AGE_MS = 3_000;
const ALL = () => true;
const NONE = () => false;

type Place = readonly [key: number, index: number];

/** A ledger with an engine's moves in few words; time goes on by a second with each. */
class Story {
  readonly ledger: Ledger;
  #nowMs = 10_000;

  constructor({ isOrdered = true } = {}) {
    this.ledger = new Ledger({ run: RUN, isOrdered });
  }

  send(key: number, records: number): void {
    for (let record = 0; record < records; record++) {
      this.ledger.sent(key, this.ledger.generate(key), "accepted");
    }
  }

  begin(...places: readonly Place[]): LedgerAttempt {
    this.#nowMs += 1_000;
    return this.ledger.begin(places.map(([key, index]) => ({ run: RUN, key, index, dueMs: 0 })));
  }

  succeed(...places: readonly Place[]): void {
    this.ledger.end(this.begin(...places), ALL, this.#nowMs);
  }

  fail(...places: readonly Place[]): void {
    this.ledger.end(this.begin(...places), NONE, this.#nowMs);
  }

  end(attempt: LedgerAttempt, isSettled: (place: number) => boolean, isUncertain = false): void {
    this.ledger.end(attempt, isSettled, this.#nowMs, isUncertain);
  }

  crash(): void {
    this.ledger.crashed(this.#nowMs, CHECKPOINT_AGE_MS);
  }

  violations(): Partial<Record<ViolationKind, number>> {
    const found = Object.entries(this.ledger.report().violations).filter(([, count]) => count > 0);
    return Object.fromEntries(found);
  }
}

describe("finds nothing wrong", () => {
  test("where all goes well, over keys and batches", () => {
    const story = new Story();
    story.send(1, 3);
    story.send(2, 2);
    story.succeed([1, 0], [2, 0], [1, 1]);
    story.succeed([2, 1], [1, 2]);
    assert.deepEqual(story.violations(), {});
    assert.equal(story.ledger.waiting, 0);
  });

  test("where a failed batch comes again as a whole, as often as it likes", () => {
    const story = new Story();
    story.send(1, 3);
    story.fail([1, 0], [1, 1]);
    story.fail([1, 0], [1, 1]);
    story.succeed([1, 0], [1, 1]);
    story.succeed([1, 2]);
    assert.deepEqual(story.violations(), {});
  });

  test("where a partial response brings back what is behind the record that failed", () => {
    const story = new Story();
    story.send(1, 3);
    story.send(2, 1);
    story.end(story.begin([1, 0], [1, 1], [2, 0], [1, 2]), (place) => place < 1);
    story.succeed([1, 1], [2, 0], [1, 2]);
    assert.deepEqual(story.violations(), {});
    assert.equal(story.ledger.report().duplicates, 0);
  });

  test("where a crash repeats what was in flight and what was settled since the last checkpoint", () => {
    const story = new Story();
    story.send(1, 4);
    story.succeed([1, 0], [1, 1]);
    const running = story.begin([1, 2]);
    story.crash();
    story.end(running, NONE);
    story.succeed([1, 0], [1, 1], [1, 2], [1, 3]);
    assert.deepEqual(story.violations(), {});
    const { duplicates, duplicatesAllowed } = story.ledger.report();
    assert.deepEqual([duplicates, duplicatesAllowed], [2, 3]);
  });

  test("where an answer came so late that the engine had given up waiting", () => {
    const story = new Story();
    story.send(1, 2);
    story.end(story.begin([1, 0]), ALL, true);
    story.succeed([1, 0], [1, 1]);
    assert.deepEqual(story.violations(), {});
  });

  test("where a record is given up before later ones of its key start", () => {
    const story = new Story();
    story.send(1, 2);
    story.fail([1, 0]);
    story.succeed([1, 1]);
    story.ledger.discarded({ run: RUN, key: 1, index: 0, dueMs: 0 });
    assert.deepEqual(story.violations(), {});
    assert.equal(story.ledger.report().discarded, 1);
  });

  test("where the source refused a record, even if later ones of its key came before that was known", () => {
    const story = new Story();
    story.send(1, 1);
    const refused = story.ledger.generate(1);
    story.send(1, 1);
    story.succeed([1, 0]);
    story.succeed([1, 2]);
    story.ledger.sent(1, refused, "refused");
    assert.deepEqual(story.violations(), {});
    assert.equal(story.ledger.waiting, 0);
  });

  test("where nobody knows whether the source took a record, and it comes or does not", () => {
    for (const comes of [true, false]) {
      const story = new Story();
      story.ledger.sent(1, story.ledger.generate(1), "unknown");
      if (comes) story.succeed([1, 0]);
      assert.deepEqual(story.violations(), {});
    }
  });

  test("where another run's records stand in the same source", () => {
    const story = new Story();
    story.send(1, 1);
    const other = { run: "run0", key: 9, index: 9, dueMs: 0 };
    story.ledger.end(
      story.ledger.begin([other, undefined, { run: RUN, key: 1, index: 0, dueMs: 0 }]),
      ALL,
      0,
    );
    assert.deepEqual(story.violations(), {});
    assert.equal(story.ledger.report().foreign, 2);
  });

  test("where a standard queue delivers in any order", () => {
    const story = new Story({ isOrdered: false });
    story.send(1, 3);
    story.succeed([1, 2]);
    story.succeed([1, 0]);
    story.succeed([1, 1]);
    assert.deepEqual(story.violations(), {});
  });
});

/** An engine with a bug in it: the ledger must find each. */
const PLANTED: readonly {
  readonly bug: string;
  readonly finds: Partial<Record<ViolationKind, number>>;
  readonly isOrdered?: boolean;
  readonly moves: (story: Story) => void;
}[] = [
  {
    bug: "the last record of a key never comes",
    finds: { lost: 1 },
    moves: (story) => story.succeed([1, 0], [1, 1], [1, 2]),
  },
  {
    bug: "a record in the middle is skipped",
    finds: { lost: 1 },
    moves: (story) => {
      story.succeed([1, 0]);
      story.succeed([1, 2], [1, 3]);
    },
  },
  {
    bug: "a failed batch is not tried again",
    finds: { lost: 2 },
    moves: (story) => {
      story.fail([1, 0], [1, 1]);
      story.succeed([1, 2], [1, 3]);
    },
  },
  {
    bug: "what was in flight in a crash is not read again",
    finds: { lost: 1 },
    moves: (story) => {
      story.succeed([1, 0], [1, 1], [1, 2]);
      const running = story.begin([1, 3]);
      story.crash();
      story.end(running, NONE);
    },
  },
  {
    bug: "a standard queue's message is deleted before its function succeeded",
    finds: { lost: 1 },
    isOrdered: false,
    moves: (story) => {
      story.fail([1, 1]);
      story.succeed([1, 3], [1, 0], [1, 2]);
    },
  },
  {
    bug: "two records of a key swap places in an event",
    finds: { outOfOrder: 1 },
    moves: (story) => story.succeed([1, 0], [1, 2], [1, 1], [1, 3]),
  },
  {
    bug: "the next batch of a key starts before the first has ended",
    finds: { outOfOrder: 1 },
    moves: (story) => {
      const first = story.begin([1, 0]);
      story.succeed([1, 1]);
      story.end(first, NONE);
      story.succeed([1, 0]);
      story.succeed([1, 2], [1, 3]);
    },
  },
  {
    bug: "a later batch goes on while a failed one waits for its retry",
    finds: { outOfOrder: 2 },
    moves: (story) => {
      story.fail([1, 0], [1, 1]);
      story.succeed([1, 2], [1, 3]);
      story.succeed([1, 0], [1, 1]);
    },
  },
  {
    bug: "a batch that succeeded comes again without a crash",
    finds: { duplicatesBeyondBound: 2 },
    moves: (story) => {
      story.succeed([1, 0], [1, 1]);
      story.succeed([1, 0], [1, 1], [1, 2], [1, 3]);
    },
  },
  {
    bug: "two workers run the same batch at once",
    finds: { duplicatesBeyondBound: 4 },
    moves: (story) => {
      const all = [
        [1, 0],
        [1, 1],
        [1, 2],
        [1, 3],
      ] as const;
      const other = story.begin(...all);
      story.succeed(...all);
      story.end(other, ALL);
    },
  },
  {
    bug: "a crash repeats what was settled long before the last checkpoint",
    finds: { duplicatesBeyondBound: 3 },
    moves: (story) => {
      story.succeed([1, 0], [1, 1], [1, 2]);
      for (let second = 0; second < 5; second++) story.fail([1, 3]);
      story.crash();
      story.succeed([1, 0], [1, 1], [1, 2], [1, 3]);
    },
  },
  {
    bug: "an event holds a record that was never sent",
    finds: { phantoms: 2 },
    moves: (story) => story.succeed([1, 0], [1, 1], [1, 2], [1, 3], [1, 4], [7, 0]),
  },
];

describe("finds an engine's bug", () => {
  for (const { bug, finds, isOrdered = true, moves } of PLANTED) {
    test(bug, () => {
      const story = new Story({ isOrdered });
      story.send(1, 4);
      moves(story);
      assert.deepEqual(story.violations(), finds);
      assert.notEqual(story.ledger.report().examples.length, 0);
    });
  }
});

test("an hour at 5,000 records a second costs no more memory than its keys", () => {
  const story = new Story();
  for (let round = 0; round < 50; round++) {
    for (let key = 0; key < 100; key++) {
      story.send(key, 20);
      story.succeed(...Array.from({ length: 20 }, (_, index): Place => [key, round * 20 + index]));
    }
  }
  const { delivered, examples } = story.ledger.report();
  assert.deepEqual([delivered, examples], [100_000, []]);
  assert.equal(story.ledger.ranges, 0);
});
