import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseExpression } from "../../../src/schedules/expression.ts";
import { parseWallText, wallText } from "../../../src/schedules/wall-time.ts";

/** The first times behind the beginning of 2026 that a pattern means. */
function times(pattern: string, count: number, after = "2025-12-31T23:59:59"): readonly string[] {
  const expression = parseExpression(`cron(${pattern})`);
  assert(expression?.kind === "cron", `${pattern} is read`);
  const found: string[] = [];
  let wallMs = parseWallText(after);
  while (wallMs !== undefined && found.length < count) {
    wallMs = expression.pattern.nextAfter(wallMs);
    if (wallMs !== undefined) found.push(wallText(wallMs).slice(0, 16));
  }
  return found;
}

describe("the expression of a schedule", () => {
  test("a rate is a whole number of minutes, hours or days", () => {
    assert.deepEqual(parseExpression("rate(1 minute)"), { kind: "rate", periodMs: 60_000 });
    assert.deepEqual(parseExpression("rate(5 minutes)"), { kind: "rate", periodMs: 300_000 });
    assert.deepEqual(parseExpression("rate(1 hour)"), { kind: "rate", periodMs: 3_600_000 });
    assert.deepEqual(parseExpression("rate(2 days)"), { kind: "rate", periodMs: 172_800_000 });
  });

  for (const text of [
    "rate(10 seconds)",
    "rate(10 years)",
    "rate(1 minutes)",
    "rate(1 hours)",
    "rate(1 days)",
    "rate(10 minute)",
    "rate(10 hour)",
    "rate(10 day)",
    "rate()",
    "rate(10)",
    "rate(10 minutess)",
    "rate(foo minutes)",
    "rate(0 minutes)",
    "rate(-10 minutes)",
    "rate(10 MINUTES)",
    "rate( 10 minutes )",
    " rate(10 minutes)",
    "rate(1.5 hours)",
    "rate(9999999999 days)",
    "cron(0 1 * * * *)",
    "cron(0 1 ? * ? *)",
    "cron(7 20 * * NOT *)",
    "cron(INVALID)",
    "cron(0 dummy ? * MON-FRI *)",
    "cron(71 8 1 * ? *)",
    "cron()",
    "cron(0 12 * * ?)",
    "cron(0 12 * * ? * *)",
    "cron(0 24 * * ? *)",
    "cron(0 12 0 * ? *)",
    "cron(0 12 32 * ? *)",
    "cron(0 12 ? * 0 *)",
    "cron(0 12 ? * 8 *)",
    "cron(0 12 * 13 ? *)",
    "cron(0 12 * * ? 1969)",
    "cron(0 12 * * ? 2200)",
    "cron(0/0 12 * * ? *)",
    "cron(? 12 * * ? *)",
    "cron(0 12 ? * 3#6 *)",
    "cron(0 12 ? * 3#2,4#1 *)",
    "cron(0 12 32W * ? *)",
    "cron(0 12 L-3 * ? *)",
    "cron(1-2-3 12 * * ? *)",
    "cron(, 12 * * ? *)",
    "at(2021-12-31T23:59:59Z)",
    "at(2021-12-31)",
    "at(2021-02-30T00:00:00)",
    "at(2021-12-31T24:00:00)",
    "at()",
    "every 5 minutes",
    "",
  ]) {
    test(`"${text}" is refused`, () => assert.equal(parseExpression(text), undefined));
  }

  test("a moment is one of the calendar, without a zone", () => {
    assert.deepEqual(parseExpression("at(2026-11-30T09:35:00)"), {
      kind: "at",
      wallMs: Date.UTC(2026, 10, 30, 9, 35),
    });
  });

  for (const [pattern, expected, meaning] of [
    ["0 12 * * ? *", ["2026-01-01T12:00", "2026-01-02T12:00"], "each day"],
    ["5,35 14 * * ? *", ["2026-01-01T14:05", "2026-01-01T14:35", "2026-01-02T14:05"], "a list"],
    ["1/10 0 * * ? *", ["2026-01-01T00:01", "2026-01-01T00:11", "2026-01-01T00:21"], "a step from a number"],
    [
      "0/25 0 * * ? *",
      ["2026-01-01T00:00", "2026-01-01T00:25", "2026-01-01T00:50", "2026-01-02T00:00"],
      "a step",
    ],
    [
      "0 20-2 * * ? *",
      ["00", "01", "02", "20", "21"].map((h) => `2026-01-01T${h}:00`),
      "hours around midnight",
    ],
    ["0 20-2/3 * * ? *", ["2026-01-01T02:00", "2026-01-01T20:00", "2026-01-01T23:00"], "the same in steps"],
    ["0 0 L * ? *", ["2026-01-31T00:00", "2026-02-28T00:00", "2026-03-31T00:00"], "the last day"],
    ["0 0 LW * ? *", ["2026-01-30T00:00", "2026-02-27T00:00", "2026-03-31T00:00"], "the last weekday"],
    ["0 0 3W * ? *", ["2026-01-02T00:00", "2026-02-03T00:00"], "the weekday nearest to the third"],
    ["0 0 1W 8 ? *", ["2026-08-03T00:00"], "the weekday nearest to the first, within its month"],
    [
      "0 0 31 * ? *",
      ["2026-01-31T00:00", "2026-03-31T00:00", "2026-05-31T00:00"],
      "months that have the day",
    ],
    ["0 0 29 2 ? *", ["2028-02-29T00:00", "2032-02-29T00:00"], "leap years"],
    ["0 0 ? * 6L *", ["2026-01-30T00:00", "2026-02-27T00:00"], "the last Friday"],
    ["0 0 ? * L *", ["2026-01-03T00:00", "2026-01-10T00:00"], "Saturday"],
    ["0 0 ? * 3#2 *", ["2026-01-13T00:00", "2026-02-10T00:00"], "the second Tuesday"],
    ["0 2 ? * SAT#3 *", ["2026-01-17T02:00", "2026-02-21T02:00"], "the third Saturday, by its name"],
    ["0 0 ? * 1 *", ["2026-01-04T00:00"], "1 is Sunday"],
    ["0 18 ? * MON-FRI *", ["2026-01-01T18:00", "2026-01-02T18:00", "2026-01-05T18:00"], "weekdays"],
    [
      "0 0 ? * SAT-MON *",
      ["2026-01-03T00:00", "2026-01-04T00:00", "2026-01-05T00:00"],
      "a weekend that wraps",
    ],
    ["0 8 1 JAN,jul ? *", ["2026-01-01T08:00", "2026-07-01T08:00", "2027-01-01T08:00"], "names of months"],
    ["0/5 5 ? JAN 1-5 2022", [], "a year that is over"],
    ["0 0 1 1 ? 2199", ["2199-01-01T00:00"], "the last year"],
    ["0 0 30 2 ? *", [], "a day that never comes"],
  ] as const) {
    test(`cron(${pattern}) means ${meaning}`, () => {
      assert.deepEqual(times(pattern, Math.max(1, expected.length)), expected);
    });
  }
});
