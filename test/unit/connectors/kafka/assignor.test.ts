import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assignPartitions, type GroupMemberClaim } from "../../../../connectors/kafka/assignor.ts";

const TOPIC = "orders";

function claim(memberId: string, owned: readonly number[], generation = 1): GroupMemberClaim {
  return { memberId, topics: [TOPIC], owned: new Map([[TOPIC, owned]]), generation };
}

function assign(members: readonly GroupMemberClaim[], count: number): Record<string, readonly number[]> {
  const assigned = assignPartitions(members, new Map([[TOPIC, count]]));
  return Object.fromEntries([...assigned].map(([id, topics]) => [id, topics.get(TOPIC) ?? []]));
}

test("a lone member gets all partitions", () => {
  assert.deepEqual(assign([claim("a", [])], 4), { a: [0, 1, 2, 3] });
});

test("a partition that moves is nobody's until its owner has given it back", () => {
  const both = assign([claim("a", [0, 1, 2, 3]), claim("b", [])], 4);
  assert.deepEqual(both, { a: [0, 1], b: [] });
  assert.deepEqual(assign([claim("a", [0, 1]), claim("b", [])], 4), { a: [0, 1], b: [2, 3] });
});

test("a topic that grew is spread without a move", () => {
  assert.deepEqual(assign([claim("a", [0, 2]), claim("b", [1])], 6), { a: [0, 2, 3], b: [1, 4, 5] });
});

test("of two that claim a partition the one of the newer generation has it", () => {
  assert.deepEqual(assign([claim("a", [0, 1], 5), claim("b", [1], 7)], 2), { a: [0], b: [1] });
});

test("two that claim a partition with the same right both let go of it", () => {
  assert.deepEqual(assign([claim("a", [0, 1]), claim("b", [1])], 2), { a: [0], b: [] });
});

test("claims of partitions that are not there, and of topics that nobody knows, are ignored", () => {
  const odd: GroupMemberClaim = {
    memberId: "a",
    topics: [TOPIC, "gone"],
    owned: new Map([
      [TOPIC, [-1, 7, 0]],
      ["gone", [0]],
    ]),
    generation: 1,
  };
  assert.deepEqual(
    [...(assignPartitions([odd], new Map([[TOPIC, 2]])).get("a") ?? [])],
    [
      ["gone", []],
      [TOPIC, [0, 1]],
    ],
  );
});

test("a member that subscribes to other topics gets none of this one, and gives back what it had", () => {
  const other = { ...claim("b", [1]), topics: ["other"] };
  const counts = new Map([
    [TOPIC, 2],
    ["other", 1],
  ]);
  const assigned = assignPartitions([claim("a", [0]), other], counts);
  assert.deepEqual(assigned.get("a"), new Map([[TOPIC, [0]]]));
  assert.deepEqual(assigned.get("b"), new Map([["other", [0]]]));
});

/** A member as it sees itself. What it was given it has until it gave it back or the broker threw it out. */
interface ModelMember {
  readonly id: string;
  generation: number;
  owned: Set<number>;
  /** To be given back once drained. */
  revoked: Set<number>;
}

/**
 * The group protocol, as far as it decides who has what: the broker runs rebalances, members come, go, drain and fail.
 */
class ModelGroup {
  members: ModelMember[] = [];
  generation = 0;
  count: number;
  #names = 0;

  constructor(count: number) {
    this.count = count;
  }

  join(): void {
    const id = `member-${(this.#names++ * 7919) % 1000}-${this.#names}`;
    this.members.push({ id, generation: -1, owned: new Set(), revoked: new Set() });
  }

  remove(index: number): void {
    this.members.splice(index % Math.max(1, this.members.length), 1);
  }

  /** A member finishes with a part of what it is to give back. */
  release(index: number, howMany: number): void {
    const member = this.members[index % Math.max(1, this.members.length)];
    for (const partition of [...(member?.revoked ?? [])].slice(0, howMany)) {
      member?.revoked.delete(partition);
      member?.owned.delete(partition);
    }
  }

  /**
   * Everyone joins with what it has then. Before the assignment comes, members may give back more; some never get it,
   * and the `expelled` ones are thrown out meanwhile.
   */
  rebalance(missesSync: (member: number) => boolean, releases: readonly number[]): void {
    this.generation++;
    const claims = this.members.map(({ id, owned, generation }) => claim(id, [...owned], generation));
    const assigned = assign(claims, this.count);
    for (const index of releases) this.release(index, 1);
    for (const [index, member] of this.members.entries()) {
      if (missesSync(index)) continue;
      const mine = new Set(assigned[member.id] ?? []);
      member.owned = new Set([...member.owned, ...mine]);
      member.revoked = new Set([...member.owned].filter((partition) => !mine.has(partition)));
      member.generation = this.generation;
    }
  }

  /** What comes of it when nothing more happens. */
  settle(): void {
    for (let round = 0; round < 4; round++) {
      this.rebalance(() => false, []);
      for (const index of this.members.keys()) this.release(index, this.count);
    }
  }

  assertSingleOwners(): void {
    const owners = new Map<number, string>();
    for (const { id, owned } of this.members) {
      for (const partition of owned) {
        assert.equal(owners.get(partition), undefined, `partition ${partition} has two owners`);
        owners.set(partition, id);
      }
    }
  }
}

type Step =
  | { readonly kind: "join" }
  | { readonly kind: "remove"; readonly member: number }
  | { readonly kind: "release"; readonly member: number; readonly howMany: number }
  | { readonly kind: "grow"; readonly by: number }
  | { readonly kind: "rebalance"; readonly missed: readonly number[]; readonly releases: readonly number[] };

const MEMBER = fc.nat(20);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("join" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), member: MEMBER, howMany: MEMBER }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("release" as const), member: MEMBER, howMany: MEMBER }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("grow" as const), by: fc.nat(8) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("rebalance" as const),
      missed: fc.array(MEMBER, { maxLength: 2 }),
      releases: fc.array(MEMBER, { maxLength: 3 }),
    }),
  },
);

function take(group: ModelGroup, step: Step): void {
  if (step.kind === "join") group.join();
  else if (step.kind === "remove") group.remove(step.member);
  else if (step.kind === "release") group.release(step.member, step.howMany);
  else if (step.kind === "grow") group.count += step.by;
  else group.rebalance((index) => step.missed.includes(index), step.releases);
}

test("over any run of joins, leaves, expulsions, drains and lost assignments no partition has two owners", () => {
  fc.assert(
    fc.property(fc.nat(16), fc.array(STEP, { maxLength: 40 }), (count, steps) => {
      const group = new ModelGroup(count);
      for (const step of steps) {
        take(group, step);
        group.assertSingleOwners();
      }
    }),
    { numRuns: 2_000 },
  );
});

test("when nothing more happens all partitions have an owner, evenly within one, and none moves any more", () => {
  fc.assert(
    fc.property(fc.nat(16), fc.array(STEP, { maxLength: 30 }), (count, steps) => {
      const group = new ModelGroup(count);
      group.join();
      for (const step of steps) take(group, step);
      if (group.members.length === 0) group.join();
      group.settle();
      const loads = group.members.map(({ owned }) => owned.size);
      assert.equal(
        loads.reduce((sum, load) => sum + load, 0),
        group.count,
      );
      assert.ok(Math.max(...loads) - Math.min(...loads) <= 1, `loads ${loads.join()}`);
      const before = group.members.map(({ owned }) => [...owned].sort());
      group.rebalance(() => false, []);
      assert.deepEqual(
        group.members.map(({ owned }) => [...owned].sort()),
        before,
      );
      assert.ok(group.members.every(({ revoked }) => revoked.size === 0));
    }),
    { numRuns: 1_000 },
  );
});

test("a member that comes or goes moves no more partitions than its share", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 8 }), (count, members) => {
      const group = new ModelGroup(count);
      for (let index = 0; index < members; index++) group.join();
      group.settle();
      group.join();
      group.rebalance(() => false, []);
      const moved = group.members.reduce((sum, { revoked }) => sum + revoked.size, 0);
      assert.ok(moved <= Math.ceil(count / (members + 1)), `${moved} moved`);
      for (const index of group.members.keys()) group.release(index, count);
      group.settle();
      group.remove(0);
      group.rebalance(() => false, []);
      assert.equal(
        group.members.reduce((sum, { revoked }) => sum + revoked.size, 0),
        0,
      );
    }),
  );
});

test("the order in which members are told changes nothing", () => {
  const members = fc.uniqueArray(fc.record({ id: fc.string(), owned: fc.array(fc.nat(9)) }), {
    selector: ({ id }) => id,
    maxLength: 6,
  });
  fc.assert(
    fc.property(members, fc.nat(10), (told, count) => {
      const claims = told.map(({ id, owned }) => claim(id, owned));
      const sorted = (record: Record<string, readonly number[]>) => Object.entries(record).sort();
      assert.deepEqual(sorted(assign(claims, count)), sorted(assign(claims.toReversed(), count)));
    }),
  );
});
