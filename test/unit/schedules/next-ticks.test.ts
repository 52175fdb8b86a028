import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseExpression } from "../../../src/schedules/expression.ts";
import { nextTicks, type Timetable, ticksToCome } from "../../../src/schedules/next-ticks.ts";
import { isFirst } from "../../../src/schedules/rank.ts";
import { UTC } from "../../../src/schedules/zone.ts";

const NOW = Date.UTC(2026, 10, 30, 12);
const MINUTE = 60_000;

function timetable(text: string, fields: Partial<Timetable> = {}): Timetable {
  const expression = parseExpression(text);
  assert(expression !== undefined);
  return { uid: "uid", expression, zone: UTC, anchorMs: NOW, isDueAtAnchor: true, windowMs: 0, ...fields };
}

function minutes(atMs: number | undefined): number | undefined {
  return atMs === undefined ? undefined : (atMs - NOW) / MINUTE;
}

describe("ticks of a schedule", () => {
  test("a rate of a schedule is due at its anchor, that of a rule one period later", () => {
    const cursor = NOW - 1;
    assert.equal(minutes(nextTicks(timetable("rate(5 minutes)"), cursor, cursor).next?.atMs), 0);
    const rule = timetable("rate(5 minutes)", { isDueAtAnchor: false });
    assert.equal(minutes(nextTicks(rule, cursor, cursor).next?.atMs), 5);
  });

  test("a rate counts from its start, where it has one", () => {
    const started = timetable("rate(5 minutes)", { startMs: NOW + 7 * MINUTE });
    assert.deepEqual(
      ticksToCome(started, NOW, 3).map(({ atMs }) => minutes(atMs)),
      [7, 12, 17],
    );
    const early = timetable("rate(5 minutes)", { startMs: NOW - 7 * MINUTE });
    assert.deepEqual(
      ticksToCome(early, NOW, 2).map(({ atMs }) => minutes(atMs)),
      [3, 8],
    );
  });

  test("nothing is due before the start or behind the end, and what is due at them is", () => {
    const bounds = { startMs: NOW + 10 * MINUTE, endMs: NOW + 12 * MINUTE };
    assert.deepEqual(
      ticksToCome(timetable("cron(* * * * ? *)", bounds), NOW, 9).map(({ atMs }) => minutes(atMs)),
      [10, 11, 12],
    );
  });

  test("a moment is due once, whatever the bounds", () => {
    const once = timetable("at(2026-11-30T12:03:00)", { endMs: NOW });
    const [tick, ...more] = ticksToCome(once, NOW, 5);
    assert.equal(minutes(tick?.atMs), 3);
    assert.deepEqual(more, []);
    assert.equal(nextTicks(once, NOW + 3 * MINUTE, NOW + 9 * MINUTE).next, undefined);
  });

  test("what is due is fresh for five minutes", () => {
    const plan = (lateMs: number) => nextTicks(timetable("rate(1 day)"), NOW - 1, NOW + lateMs);
    assert.deepEqual([plan(0).isFresh, plan(0).missed], [true, 0]);
    assert.deepEqual([plan(5 * MINUTE).isFresh, plan(5 * MINUTE).missed], [true, 0]);
    assert.deepEqual([plan(5 * MINUTE + 1).isFresh, plan(5 * MINUTE + 1).missed], [false, 1]);
  });

  test("of many that are due the newest is made good for, and the others are counted", () => {
    const { newest, isFresh, missed, isMore, next } = nextTicks(
      timetable("rate(1 minute)"),
      NOW - 1,
      NOW + 90_000,
    );
    assert.deepEqual(
      [minutes(newest?.atMs), isFresh, missed, isMore, minutes(next?.atMs)],
      [1, true, 1, false, 2],
    );
  });

  test("more than ten thousand missed ticks are not counted one by one", () => {
    const year = 365 * 1440 * MINUTE;
    const { newest, isFresh, missed, isMore } = nextTicks(timetable("rate(1 minute)"), NOW - 1, NOW + year);
    assert.deepEqual([minutes(newest?.atMs), isFresh, isMore], [365 * 1440, true, true]);
    assert(missed >= 10_000 && missed < 10_020, `${missed} are counted`);
  });

  test("a flexible window puts each tick off by less than itself, the same in every process", () => {
    const flexible = timetable("rate(1 hour)", { windowMs: 15 * MINUTE });
    const delays = ticksToCome(flexible, NOW - 1, 200).map(({ atMs, dueMs }) => dueMs - atMs);
    assert(delays.every((delay) => delay >= 0 && delay < 15 * MINUTE));
    assert(new Set(delays).size > 190, "they differ");
    assert.deepEqual(
      ticksToCome(flexible, NOW - 1, 200).map(({ atMs, dueMs }) => dueMs - atMs),
      delays,
    );
  });

  test("a window that is longer than the period changes no order", () => {
    const ticks = ticksToCome(timetable("rate(1 minute)", { windowMs: 1440 * MINUTE }), NOW - 1, 100);
    for (const [index, { dueMs }] of ticks.entries()) assert(dueMs < (ticks[index + 1]?.atMs ?? Infinity));
  });

  test("a tick that waits in its window is not due, and not missed", () => {
    const flexible = timetable("rate(1 day)", { windowMs: 600 * MINUTE });
    const [tick] = ticksToCome(flexible, NOW - 1, 1);
    assert(tick !== undefined && tick.dueMs > NOW);
    assert.deepEqual(nextTicks(flexible, NOW - 1, tick.dueMs - 1).newest, undefined);
    assert.deepEqual(nextTicks(flexible, NOW - 1, tick.dueMs).newest, tick);
  });

  test("of the processes that live exactly one is the first to try, another for each schedule", () => {
    const living = ["a", "b", "c", "d"];
    const firsts = Array.from({ length: 400 }, (_, index) => {
      const found = living.filter((processId) => isFirst(`schedule-${index}`, processId, living));
      assert.equal(found.length, 1);
      return found[0];
    });
    for (const processId of living) {
      const share = firsts.filter((first) => first === processId).length;
      assert(share > 60 && share < 140, `${processId} is first of ${share}`);
    }
  });
});
