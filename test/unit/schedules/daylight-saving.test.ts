import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Cron } from "croner";
import { parseExpression } from "../../../src/schedules/expression.ts";
import { ticksToCome } from "../../../src/schedules/next-ticks.ts";
import { findZone } from "../../../src/schedules/zone.ts";

/** One turns its clocks by half an hour, one at midnight, one around a month of the moon's calendar. */
const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Africa/Casablanca",
] as const;
const FROM_MS = Date.UTC(2018, 0, 1);
const TO_MS = Date.UTC(2028, 0, 1);
const HOUR_MS = 3_600_000;
const QUARTER_MS = HOUR_MS / 4;

/** AWS's pattern, and the same as croner reads it. */
const PATTERNS = [
  ["30 2 * * ? *", "0 30 2 * * * *"],
  ["15 1,3 * * ? *", "0 15 1,3 * * * *"],
  ["0 0 L * ? *", "0 0 0 L * * *"],
  ["10 1 ? * 1#1 *", "0 10 1 * * 1#1 *"],
  ["20 2 ? * 1L *", "0 20 2 * * 1L *"],
  ["0 23 15W * ? *", "0 0 23 15W * * *"],
] as const;

for (const name of ZONES) {
  describe(`ten years in ${name}`, () => {
    const shown = shownIn(name);
    const turns = turnsOf(shown);

    for (const [pattern, cronerPattern] of PATTERNS) {
      test(`cron(${pattern}): each wall time of croner once, the first time, and not where it is left out`, () => {
        const walls = wallTimes(cronerPattern, FROM_MS, TO_MS);
        const expected = walls
          .flatMap((wallMs) => firstInstant(wallMs, shown, turns) ?? [])
          .filter((atMs) => atMs >= FROM_MS);
        assert.deepEqual(ticks(pattern, name, FROM_MS - 1, expected.length), expected);
      });
    }

    test("every half hour around each turn of the clocks", () => {
      assert(turns.length >= 10, `clocks turn ${turns.length} times`);
      for (const turnMs of turns) {
        const [fromMs, toMs] = [turnMs - 6 * HOUR_MS, turnMs + 6 * HOUR_MS];
        const walls = wallTimes("0 0,30 * * * * *", fromMs - 15 * HOUR_MS, toMs + 15 * HOUR_MS);
        const expected = walls
          .flatMap((wallMs) => firstInstant(wallMs, shown, turns) ?? [])
          .filter((atMs) => atMs > fromMs && atMs <= toMs);
        assert.deepEqual(ticks("0/30 * * * ? *", name, fromMs, expected.length), expected);
      }
    });
  });
}

test("an hour that is left out has no tick, and one that comes twice has one", () => {
  assert.deepEqual(ticks("30 2 * * ? *", "Europe/Berlin", Date.UTC(2026, 2, 28), 3).map(iso), [
    "2026-03-28T01:30:00.000Z",
    "2026-03-30T00:30:00.000Z",
    "2026-03-31T00:30:00.000Z",
  ]);
  assert.deepEqual(ticks("30 2 * * ? *", "Europe/Berlin", Date.UTC(2026, 9, 24), 3).map(iso), [
    "2026-10-24T00:30:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});

test("whoever looks in the second of two hours does not meet the first again", () => {
  const within = Date.UTC(2026, 9, 25, 1, 10);
  assert.deepEqual(ticks("0/15 2 * * ? *", "Europe/Berlin", within, 1).map(iso), [
    "2026-10-26T01:00:00.000Z",
  ]);
});

test("a moment that clocks leave out has no tick", () => {
  assert.deepEqual(at("2026-03-29T02:30:00"), []);
  assert.deepEqual(at("2026-10-25T02:30:00").map(iso), ["2026-10-25T00:30:00.000Z"]);
});

test("a day that clocks left out has no tick", () => {
  assert.deepEqual(ticks("0 12 * * ? *", "Pacific/Apia", Date.UTC(2011, 11, 28, 23), 3).map(iso), [
    "2011-12-29T22:00:00.000Z",
    "2011-12-30T22:00:00.000Z",
    "2011-12-31T22:00:00.000Z",
  ]);
});

test("a zone is a place", () => {
  assert.equal(findZone("Nowhere/Land"), undefined);
  assert.equal(findZone("+02:00"), undefined);
  assert.equal(findZone(""), undefined);
  assert.notEqual(findZone("Etc/GMT+5"), undefined);
});

function at(text: string): readonly number[] {
  return atExpression(`at(${text})`, "Europe/Berlin", 0, 2);
}

function ticks(pattern: string, zone: string, afterMs: number, count: number): readonly number[] {
  return atExpression(`cron(${pattern})`, zone, afterMs, count);
}

function atExpression(text: string, zoneName: string, afterMs: number, count: number): readonly number[] {
  const [expression, zone] = [parseExpression(text), findZone(zoneName)];
  assert(expression !== undefined && zone !== undefined);
  const timetable = { uid: "u", expression, zone, anchorMs: 0, isDueAtAnchor: true, windowMs: 0 };
  return ticksToCome(timetable, afterMs, count).map(({ atMs }) => atMs);
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** What croner says of the calendar, in a zone without any turn. */
function wallTimes(pattern: string, fromMs: number, toMs: number): readonly number[] {
  const cron = new Cron(pattern, { mode: "7-part", alternativeWeekdays: true, utcOffset: 0 });
  const found: number[] = [];
  let wall = cron.nextRun(new Date(fromMs - 1000));
  while (wall !== null && wall.getTime() < toMs) {
    found.push(wall.getTime());
    wall = cron.nextRun(wall);
  }
  return found;
}

/** What clocks show, by another way than `zone.ts` goes. */
function shownIn(zone: string): (atMs: number) => number {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  return (atMs) => Date.parse(`${format.format(atMs).replace(" ", "T")}Z`);
}

/** When clocks are turned, to the quarter of an hour. */
function turnsOf(shown: (atMs: number) => number): readonly number[] {
  const turns: number[] = [];
  const offset = (atMs: number) => shown(atMs) - atMs;
  const stepMs = 24 * HOUR_MS;
  for (let atMs = FROM_MS - stepMs; atMs < TO_MS + stepMs; atMs += stepMs) {
    if (offset(atMs) === offset(atMs + stepMs)) continue;
    let turnMs = atMs;
    while (offset(turnMs) === offset(atMs)) turnMs += QUARTER_MS;
    turns.push(turnMs);
  }
  return turns;
}

/** Near a turn every quarter of an hour is tried; elsewhere each wall time stands for one instant. */
function firstInstant(
  wallMs: number,
  shown: (atMs: number) => number,
  turns: readonly number[],
): number | undefined {
  const isNearTurn = turns.some((turnMs) => Math.abs(turnMs - wallMs) < 40 * HOUR_MS);
  if (!isNearTurn) return wallMs - (shown(wallMs) - wallMs);
  const first = wallMs - 15 * HOUR_MS;
  const candidates = Array.from({ length: 120 }, (_, index) => first + index * QUARTER_MS);
  return candidates.find((atMs) => shown(atMs) === wallMs);
}
