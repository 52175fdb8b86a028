import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call, Disturbance, LeaseChange } from "../../chaos/evidence.ts";
import {
  findEpochBreaks,
  findHandoverGaps,
  findOverlaps,
  findResumes,
  findStarved,
  findTakeovers,
  findUnleasedCalls,
  judgeRepeats,
} from "../../chaos/judge.ts";

/** Each test doctors a history that keeps the laws, so that a judge that sees nothing fails. */
const A = 1;
const B = 2;
const RULE = { leaseDurationMs: 10_000, graceMs: 2_000 };

function call(life: number, startedMs: number, endedMs = startedMs + 10): Call {
  return { life, shardId: "s", startedMs, endedMs };
}

function disturb(kind: Disturbance["kind"], atMs: number, untilMs?: number): Disturbance {
  return { kind, life: A, atMs, ...(untilMs === undefined ? {} : { untilMs }) };
}

/** `settled`: the positions that its checkpoint has settled. */
function lease(epoch: number, life: number | undefined, atMs: number, settled = ""): LeaseChange {
  const isSettled = (position: string) => settled.includes(position);
  return { shardId: "s", epoch, life, atMs, isSignOfLife: true, isSettled };
}

test("two processes at work on one shard at once are seen", () => {
  const overlapping = [call(A, 0, 100), call(B, 99, 120)];
  assert.equal(findOverlaps(overlapping, []).length, 1);
  assert.deepEqual(findOverlaps([call(A, 0, 100), call(B, 100, 120)], []), []);
  assert.deepEqual(findOverlaps([call(A, 0, 100), { ...call(B, 50), shardId: "other" }], []), []);
  assert.deepEqual(findOverlaps([call(A, 0, 100), call(A, 50, 120)], []), [], "lanes of one process");
});

test("what was in flight at a kill or a pause may overlap, and what a paused process decides afterwards may not", () => {
  const history = [call(A, 0, 20_000), call(B, 15_000)];
  assert.deepEqual(findOverlaps(history, [disturb("kill", 1_000)]), []);
  assert.deepEqual(findOverlaps(history, [disturb("pause", 1_000, 18_000)]), []);
  assert.equal(
    findOverlaps(history, [disturb("kill", 16_000)]).length,
    1,
    "killed after the other had begun",
  );
  assert.equal(findOverlaps(history, [disturb("stop", 1_000)]).length, 1);
  assert.equal(findOverlaps(history, [disturb("cut", 1_000, 18_000)]).length, 1);
  const afterThePause = [call(A, 18_001, 18_500), call(B, 18_200)];
  assert.equal(findOverlaps(afterThePause, [disturb("pause", 1_000, 18_000)]).length, 1);
});

test("a call that was started without the lease is seen", () => {
  const changes = [lease(1, A, 100), lease(1, undefined, 500), lease(2, B, 600)];
  assert.deepEqual(findUnleasedCalls([call(A, 100), call(A, 499), call(B, 600)], changes), []);
  const early = call(A, 99);
  const afterRelease = call(A, 501);
  const fenced = call(A, 601);
  const ofAnother = call(B, 300);
  assert.deepEqual(findUnleasedCalls([early, ofAnother, afterRelease, fenced], changes), [
    early,
    ofAnother,
    afterRelease,
    fenced,
  ]);
});

test("an owner without an epoch of its own, and an epoch that is skipped or set back, are seen", () => {
  assert.deepEqual(
    findEpochBreaks([lease(1, A, 0), lease(1, A, 5), lease(1, undefined, 9), lease(2, A, 10)]),
    [],
  );
  const bad = [
    [lease(1, A, 0), lease(1, B, 1)],
    [lease(1, A, 0), lease(3, B, 1)],
    [lease(1, A, 0), lease(2, B, 1), lease(1, A, 2)],
    [lease(1, A, 0), lease(2, undefined, 1)],
    [lease(1, A, 0), lease(1, undefined, 1), lease(1, B, 2)],
  ];
  for (const changes of bad) assert.deepEqual(findEpochBreaks(changes), [changes.at(-1)]);
});

test("a repeat is excused by a kill, a pause or a cut after the success, and by nothing else", () => {
  const repeat = { position: "7", before: call(A, 1_000), after: call(B, 15_000) };
  const changes = [lease(1, A, 0), lease(2, B, 14_000)];
  const ageMs = (disturbance: Disturbance) => judgeRepeats([repeat], [disturbance], changes)[0]?.ageMs;
  assert.equal(ageMs(disturb("kill", 1_500)), 490);
  assert.equal(ageMs(disturb("pause", 1_500, 16_000)), 490);
  assert.equal(ageMs(disturb("cut", 500, 16_000)), -510, "it works on until its lease ends");
  assert.equal(ageMs(disturb("stop", 1_500)), undefined, "a hand-over repeats nothing");
  assert.equal(ageMs(disturb("kill", 15_500)), undefined, "killed after the repeat");
  assert.equal(ageMs({ ...disturb("kill", 1_500), life: B }), undefined, "another process");
  assert.equal(ageMs(disturb("pause", 500, 900)), undefined, "succeeded after the pause");
  assert.equal(ageMs(disturb("cut", 500, 900)), undefined, "succeeded after the cut");
});

test("a repeat of what the checkpoint had settled when the shard was taken over is excused by nothing", () => {
  const repeat = { position: "7", before: call(A, 1_000), after: call(B, 15_000) };
  const ageMs = (...changes: readonly LeaseChange[]) =>
    judgeRepeats([repeat], [disturb("kill", 1_500)], changes)[0]?.ageMs;
  assert.equal(ageMs(lease(1, A, 0), lease(1, A, 1_200, "6"), lease(2, B, 14_000, "6")), 490);
  assert.equal(ageMs(lease(1, A, 0), lease(1, A, 1_200, "67"), lease(2, B, 14_000, "67")), undefined);
});

test("a call that another overtook while its process stood still is what was repeated, not what repeats", () => {
  const repeat = { position: "7", before: call(B, 15_000), after: call(A, 1_000, 16_000) };
  const changes = [lease(1, A, 0), lease(2, B, 14_000)];
  const ageMs = (...disturbances: Disturbance[]) => judgeRepeats([repeat], disturbances, changes)[0]?.ageMs;
  assert.notEqual(ageMs(disturb("pause", 1_500, 15_900)), undefined);
  assert.notEqual(ageMs(disturb("cut", 1_500, 15_900)), undefined);
  assert.equal(ageMs(), undefined, "nothing was in its way");
});

test("a process that repeats a record while it keeps its lease is excused by nothing", () => {
  const repeat = { position: "7", before: call(A, 1_000), after: call(A, 15_000) };
  const pause = disturb("pause", 1_500, 9_000);
  assert.equal(judgeRepeats([repeat], [pause], [lease(1, A, 0)])[0]?.ageMs, undefined);
  const again = [lease(1, A, 0), lease(2, A, 14_000)];
  assert.equal(judgeRepeats([repeat], [pause], again)[0]?.ageMs, 490);
});

test("work that resumes too late after a kill is seen, counted from when somebody could watch", () => {
  const kill = disturb("kill", 1_000);
  const calls = (resumedMs: number) => [call(B, resumedMs), call(A, 900)];
  const lateMs = (
    resumedMs: number,
    watching = [{ life: B, fromMs: 0, toMs: 60_000 }],
    more: Disturbance[] = [],
  ) => {
    const changes = [lease(1, A, 0), lease(2, B, 12_000)];
    const known = { changes, watches: watching };
    const resumes = findResumes(calls(resumedMs), [kill, ...more], known, RULE);
    return resumes.map((resume) => resume.lateMs);
  };
  assert.deepEqual(lateMs(13_000), [0]);
  assert.deepEqual(lateMs(13_001), [1]);
  assert.deepEqual(lateMs(15_000, [{ life: B, fromMs: 4_000, toMs: 60_000 }]), [-1_000]);
  assert.deepEqual(lateMs(15_000, []), [], "nobody watched");
  assert.deepEqual(lateMs(15_000, [{ life: A, fromMs: 0, toMs: 60_000 }]), [], "the dead do not watch");
  const ofB = { ...disturb("pause", 12_500, 14_000), life: B };
  assert.deepEqual(lateMs(15_000, undefined, [ofB]), [], "the next owner was disturbed before it began");
  const deathOfB = { ...disturb("kill", 11_950), life: B };
  assert.deepEqual(
    lateMs(25_000, undefined, [deathOfB]),
    [],
    "it was dead when the store took its last word",
  );
});

test("a paused process that works on under its lease has resumed its work", () => {
  const pause = disturb("pause", 1_000, 4_000);
  const watches = [{ life: B, fromMs: 0, toMs: 60_000 }];
  const resumes = findResumes(
    [call(A, 900), call(A, 4_200)],
    [pause],
    { changes: [lease(1, A, 0)], watches },
    RULE,
  );
  assert.deepEqual(
    resumes.map(({ resumedMs }) => resumedMs),
    [4_200],
  );
});

test("the gap of a hand-over is from the last answer to the next owner's start", () => {
  const calls = [call(A, 0, 30), call(B, 430)];
  assert.deepEqual(findHandoverGaps(calls, [disturb("stop", 20)]), [400]);
  assert.deepEqual(findHandoverGaps(calls, [disturb("kill", 20)]), []);
  assert.deepEqual(findHandoverGaps(calls, [disturb("stop", 9_000)]), [], "it was stopped long after");
});

test("a lease that is taken, and one whose owner nobody disturbed, are told with when it was renewed last", () => {
  const changes = [
    lease(1, A, 0),
    lease(1, A, 900),
    lease(2, B, 11_000),
    lease(2, undefined, 12_000),
    lease(3, A, 13_000),
  ];
  const checkpoint = { ...lease(1, A, 2_000), isSignOfLife: false };
  const takeovers = findTakeovers(changes);
  const withCheckpoint = [...changes, checkpoint].toSorted((a, b) => a.atMs - b.atMs);
  assert.deepEqual(findTakeovers(withCheckpoint), takeovers, "a checkpoint is no renewal");
  assert.deepEqual(takeovers, [{ shardId: "s", from: A, to: B, renewedMs: 900, takenMs: 11_000 }]);
  assert.deepEqual(findStarved(takeovers, []), takeovers);
  assert.deepEqual(findStarved(takeovers, [disturb("stop", 1_000)]), takeovers);
  assert.deepEqual(findStarved(takeovers, [{ ...disturb("kill", 1_000), life: B }]), takeovers);
  for (const excuse of [disturb("kill", 1_000), disturb("pause", 500, 2_000), disturb("cut", 500, 12_000)])
    assert.deepEqual(findStarved(takeovers, [excuse]), []);
});
