import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Allotment,
  allot,
  type Part,
  readAllotment,
  type Standing,
  sharesOf,
  writeAllotment,
} from "../../../src/invocation/allotment.ts";

const LIMIT = 5;

function cell(...parts: readonly (readonly [process: string, granted: number, wanted: number])[]): Allotment {
  return {
    limit: LIMIT,
    parts: parts.map(([process, granted, wanted]) => ({ process, granted, wanted })),
  };
}

function standing(process: string, more: Partial<Standing>): Standing {
  return { process, running: 0, wanted: 0, living: 1, isGone: () => false, isTurnOver: false, ...more };
}

function row({ process, granted, wanted }: Part) {
  return [process, granted, wanted] as const;
}

interface Row {
  readonly says: string;
  readonly seen: Allotment;
  readonly by: Standing;
  readonly parts: readonly (readonly [string, number, number])[];
  readonly startsBelow: number;
}

const LOOKS: readonly Row[] = [
  {
    says: "who is alone takes all, so that the next call finds a place",
    seen: cell(),
    by: standing("a", { wanted: 1 }),
    parts: [["a", 5, 1]],
    startsBelow: 5,
  },
  {
    says: "of two that live the first takes its even part, and leaves the rest",
    seen: cell(),
    by: standing("a", { wanted: 1, living: 2 }),
    parts: [["a", 3, 1]],
    startsBelow: 3,
  },
  {
    says: "what nobody else wants is taken beyond the even part",
    seen: cell(["a", 3, 3]),
    by: standing("a", { running: 3, wanted: 5, living: 2 }),
    parts: [["a", 5, 5]],
    startsBelow: 5,
  },
  {
    says: "where nothing is free a process says what it wants, and starts nothing",
    seen: cell(["a", 5, 5]),
    by: standing("b", { wanted: 9, living: 2 }),
    parts: [
      ["a", 5, 5],
      ["b", 0, 5],
    ],
    startsBelow: 0,
  },
  {
    says: "who has more than its share while others are short starts nothing above it, and gives up what does not run",
    seen: cell(["a", 5, 5], ["b", 0, 5]),
    by: standing("a", { running: 4, wanted: 5, living: 2 }),
    parts: [
      ["a", 4, 5],
      ["b", 0, 5],
    ],
    startsBelow: 3,
  },
  {
    says: "what is given up is taken by who is short of it",
    seen: cell(["a", 3, 5], ["b", 0, 5]),
    by: standing("b", { wanted: 5, living: 2 }),
    parts: [
      ["a", 3, 5],
      ["b", 2, 5],
    ],
    startsBelow: 2,
  },
  {
    says: "what others are short of is left to them, though it is free",
    seen: cell(["a", 2, 5], ["b", 0, 5]),
    by: standing("a", { running: 2, wanted: 5, living: 2 }),
    parts: [
      ["a", 3, 5],
      ["b", 0, 5],
    ],
    startsBelow: 3,
  },
  {
    says: "the part of a process that is gone is struck and free",
    seen: cell(["x", 4, 5], ["a", 1, 5]),
    by: standing("a", { running: 1, wanted: 5, isGone: (process) => process === "x" }),
    parts: [["a", 5, 5]],
    startsBelow: 5,
  },
  {
    says: "who wants nothing any more gives all back that does not run",
    seen: cell(["a", 3, 3]),
    by: standing("a", { running: 1 }),
    parts: [["a", 1, 0]],
    startsBelow: 1,
  },
  {
    says: "who has and wants nothing is forgotten",
    seen: cell(["a", 3, 3], ["b", 2, 2]),
    by: standing("a", {}),
    parts: [["b", 2, 2]],
    startsBelow: 0,
  },
  {
    says: "while more is granted than a lowered limit nothing starts, and grants fall to what runs",
    seen: cell(["a", 6, 8], ["b", 2, 2]),
    by: standing("a", { running: 4, wanted: 8, living: 2 }),
    parts: [
      ["a", 4, 5],
      ["b", 2, 2],
    ],
    startsBelow: 0,
  },
];

describe("a look at the cell", () => {
  for (const { says, seen, by, parts, startsBelow } of LOOKS) {
    test(says, () => {
      const result = allot(seen, by);
      assert.deepEqual(result.allotment.parts.map(row), parts);
      assert.equal(result.startsBelow, startsBelow);
    });
  }

  test("with fewer places than processes, who has had its turn goes to the end, and gives up when its call ends", () => {
    const two = { limit: 1, parts: cell(["a", 1, 1], ["b", 0, 1]).parts };
    const early = allot(two, standing("a", { running: 1, wanted: 1, living: 2 }));
    assert.deepEqual(early.allotment.parts.map(row), two.parts.map(row));
    const late = allot(two, standing("a", { running: 1, wanted: 1, living: 2, isTurnOver: true }));
    assert.deepEqual(late.allotment.parts.map(row), [
      ["b", 0, 1],
      ["a", 1, 1],
    ]);
    assert.equal(late.startsBelow, 0);
    const ended = allot(late.allotment, standing("a", { wanted: 1, living: 2 }));
    const taken = allot(ended.allotment, standing("b", { wanted: 1, living: 2 }));
    assert.deepEqual(taken.allotment.parts.map(row), [
      ["b", 1, 1],
      ["a", 0, 1],
    ]);
  });

  test("looks of all in any order never grant more than the limit, start nothing beyond a grant, and come to even shares", () => {
    const random = lehmer(17);
    for (let round = 0; round < 300; round++) {
      const limit = 1 + random(12);
      const processes = Array.from({ length: 1 + random(5) }, (_, index) => `p${index}`);
      let seen: Allotment = { limit, parts: [] };
      const look = (process: string, running: number, wanted: number) => {
        const { allotment, startsBelow } = allot(seen, {
          ...standing(process, { running, wanted, living: processes.length }),
          isTurnOver: random(4) === 0,
        });
        const granted = allotment.parts.find((part) => part.process === process)?.granted ?? 0;
        assert.ok(startsBelow <= granted, "starts beyond its grant");
        seen = allotment;
        const all = seen.parts.reduce((total, part) => total + part.granted, 0);
        assert.ok(all <= limit, `${all} of ${limit} are granted`);
      };
      for (let step = 0; step < 30; step++) {
        const process = processes[random(processes.length)] ?? "";
        const granted = seen.parts.find((part) => part.process === process)?.granted ?? 0;
        const running = random(granted + 1);
        look(process, running, running + random(6));
      }
      for (let turn = 0; turn < 4; turn++) for (const process of processes) look(process, 0, limit);
      const least = Math.floor(limit / processes.length);
      for (const { process, granted } of seen.parts) {
        const isEven = granted >= least && granted <= least + 1;
        assert.ok(isEven, `${process} has ${granted} of ${limit} over ${processes.length}`);
      }
    }
  });
});

test("shares are what is wanted, and even where that is too much", () => {
  const shares = (limit: number, ...wanted: readonly number[]) =>
    sharesOf(
      limit,
      wanted.map((each, index) => ({ process: String(index), granted: 0, wanted: each })),
    );
  assert.deepEqual([...shares(10, 2, 3).values()], [2, 3]);
  assert.deepEqual([...shares(5, 9, 9).values()], [3, 2]);
  assert.deepEqual([...shares(10, 1, 20, 20).values()], [1, 5, 4]);
  assert.deepEqual(
    [...shares(2, 1, 1, 1).entries()],
    [
      ["0", 1],
      ["1", 1],
      ["2", 0],
    ],
  );
});

test("a cell is read as it was written, and anything else is none", () => {
  const allotment = cell(["a", 3, 4], ["b~1", 0, 9]);
  assert.deepEqual(readAllotment(writeAllotment(allotment)), allotment);
  for (const document of ["", "null", "[]", '{"limit":-1,"parts":[]}', '{"limit":1,"parts":[["a",1]]}'])
    assert.equal(readAllotment(document), undefined, document);
});

/** A small generator, so that a failure comes again. */
function lehmer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
