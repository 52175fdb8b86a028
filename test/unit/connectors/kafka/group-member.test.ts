import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GroupMember } from "../../../../connectors/kafka/group-member.ts";
import { GROUP_TIMES } from "../../../../connectors/kafka/group-times.ts";
import { ManualClock } from "../../engine/stream/small-world.ts";
import { type GroupCall, TestCoordinator } from "./test-coordinator.ts";

const TOPIC = "orders";
const CALLS: readonly GroupCall[] = ["join", "sync", "heartbeat", "partitionCounts"];

/** A member that works on all that it is given and drains what it is asked for when the test says so. */
class WorkingMember {
  readonly member: GroupMember;
  /** Calls of this kind fail now. */
  broken: GroupCall | undefined;
  breakage: "unreachable" | "lost" = "unreachable";
  isClosed = false;

  constructor(clock: ManualClock, coordinator: TestCoordinator) {
    const api = coordinator.api((call) => (call === this.broken ? this.breakage : "fine"));
    const onChange = () => {
      const { holds, identity } = this.member;
      for (const hold of holds.all()) {
        if (hold.owner === undefined && !hold.isRevoked) holds.take(hold, "engine", identity.generation);
      }
    };
    const random = { next: () => 0.5, uuid: () => "" };
    this.member = new GroupMember({ api, topic: TOPIC, times: GROUP_TIMES, clock, random, onChange });
    this.member.start();
  }

  drain(): void {
    for (const hold of this.member.holds.all()) if (hold.isRevoked) this.member.giveBack(hold);
  }
}

class WorkingGroup {
  readonly clock = new ManualClock();
  readonly coordinator: TestCoordinator;
  readonly members: WorkingMember[] = [];

  constructor(partitions: number) {
    this.coordinator = new TestCoordinator(this.clock, TOPIC, partitions);
  }

  at(index: number): WorkingMember | undefined {
    const alive = this.members.filter(({ isClosed }) => !isClosed);
    return alive[index % Math.max(1, alive.length)];
  }

  /** Those that the broker has thrown out and that do not know it yet are fenced, and claim nothing. */
  assertSingleOwners(): void {
    const known = new Set(this.coordinator.memberIds);
    const owners = new Map<number, string>();
    for (const { member } of this.members) {
      const { memberId } = member.identity;
      for (const partition of known.has(memberId) ? member.holds.partitions : []) {
        assert.equal(owners.get(partition), undefined, `partition ${partition} has two owners`);
        owners.set(partition, memberId);
      }
    }
  }

  async settle(): Promise<void> {
    for (const each of this.members) each.broken = undefined;
    for (let round = 0; round < 60; round++) {
      await this.clock.advance(5_000);
      for (const each of this.members) each.drain();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ member }) => member.close()));
  }
}

type Step =
  | { readonly kind: "start" }
  | { readonly kind: "forget" }
  | { readonly kind: "close" | "drain" | "expel" | "mend"; readonly member: number }
  | { readonly kind: "break"; readonly member: number; readonly call: GroupCall; readonly isLost: boolean }
  | { readonly kind: "grow"; readonly by: number }
  | { readonly kind: "wait"; readonly ms: number };

const MEMBER = fc.nat(8);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("start" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("close", "drain", "drain", "expel", "mend"),
      member: MEMBER,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("break" as const),
      member: MEMBER,
      call: fc.constantFrom(...CALLS),
      isLost: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("grow" as const), by: fc.nat(4) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(30_000) }) },
);

async function take(group: WorkingGroup, step: Step): Promise<void> {
  if (step.kind === "start") group.members.push(new WorkingMember(group.clock, group.coordinator));
  else if (step.kind === "forget") group.coordinator.forgetMembers();
  else if (step.kind === "grow") group.coordinator.partitions += step.by;
  else if (step.kind === "wait") await waitWatching(group, step.ms);
  else await takeOfMember(group.at(step.member), group, step);
}

async function takeOfMember(
  each: WorkingMember | undefined,
  group: WorkingGroup,
  step: Extract<Step, { readonly member: number }>,
): Promise<void> {
  if (each === undefined) return;
  if (step.kind === "drain") each.drain();
  else if (step.kind === "mend") each.broken = undefined;
  else if (step.kind === "expel") group.coordinator.expel(each.member.identity.memberId);
  else if (step.kind === "break") {
    each.broken = step.call;
    each.breakage = step.isLost ? "lost" : "unreachable";
  } else {
    each.isClosed = true;
    await each.member.close();
  }
}

async function waitWatching(group: WorkingGroup, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await group.clock.advance(Math.min(500, left));
    group.assertSingleOwners();
  }
}

test("whatever breaks, no partition has two members, and in the end all have one, evenly", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.array(STEP, { maxLength: 25 }),
      async (count, steps) => {
        const group = new WorkingGroup(count);
        for (const step of steps) {
          await take(group, step);
          group.assertSingleOwners();
        }
        await group.settle();
        group.assertSingleOwners();
        const alive = group.members.filter(({ isClosed }) => !isClosed);
        const loads = alive.map(({ member }) => member.holds.partitions.length);
        if (alive.length > 0) {
          assert.equal(
            loads.reduce((sum, load) => sum + load, 0),
            group.coordinator.partitions,
          );
          assert.ok(Math.max(...loads) - Math.min(...loads) <= 1, `loads ${loads.join()}`);
        }
        await group.close();
      },
    ),
    { numRuns: 60 },
  );
});

test("a quiet group is not divided anew", async () => {
  const group = new WorkingGroup(6);
  for (let index = 0; index < 3; index++)
    group.members.push(new WorkingMember(group.clock, group.coordinator));
  await group.settle();
  const { generation } = group.coordinator;
  await group.clock.advance(600_000);
  assert.equal(group.coordinator.generation, generation);
  await group.close();
});

test("a member whose joins fail does not count as alive until the broker throws it out", async () => {
  const group = new WorkingGroup(2);
  const first = new WorkingMember(group.clock, group.coordinator);
  group.members.push(first);
  await group.clock.advance(5_000);
  first.broken = "join";
  group.members.push(new WorkingMember(group.clock, group.coordinator));
  await group.clock.advance(GROUP_TIMES.rebalanceTimeoutMs - 5_000);
  assert.ok(group.coordinator.memberIds.includes(first.member.identity.memberId));
  const alive = first.member.alive();
  await Promise.all([assert.rejects(alive, { code: "unavailable" }), group.clock.advance(10_000)]);
  await group.close();
});
