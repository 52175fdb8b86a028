import assert from "node:assert/strict";
import { test } from "node:test";
import type { MappingProgress, MappingTotals } from "../../../src/cli/mapping-progress.ts";
import { ProgressDisplay, renderProgress } from "../../../src/cli/progress-display.ts";
import { formatBytes, formatDuration, formatLogLine } from "../../../src/cli/terminal-text.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";

const WIDE = { columns: 200, rows: 40 };

function totalsOf(polled: number, failed: number, invocations: number): MappingTotals {
  const telemetry = createTelemetry({ log: () => undefined, processMetrics: false });
  telemetry.count("polled_events", "m", polled);
  telemetry.count("failed_invoke_events", "m", failed);
  telemetry.gauge("buffered_bytes", "m", 1_500_000);
  for (let index = 0; index < invocations; index++) telemetry.invocation("m", "succeeded", 1);
  return telemetry.totals("m");
}

function progressOf(totals: MappingTotals, name = "orders"): MappingProgress {
  const shard = {
    oldestAgeMs: 0,
    offsetLag: undefined,
    bufferedRecords: 0,
    bufferedBytes: 0,
    inFlight: 0,
    caughtUp: false,
    ended: false,
  };
  const shards = [
    { ...shard, shardId: "s0", lagMs: 1500 },
    { ...shard, shardId: "s1", lagMs: 200 },
    { ...shard, shardId: "s2", lagMs: undefined, ended: true },
  ];
  return {
    status: {
      uuid: name,
      name,
      state: "Enabled",
      lastProcessingResult: "OK",
      oldestAgeMs: 0,
      shards,
      caughtUp: false,
    },
    totals,
  };
}

test("shows state, shards, sums, rates since the last frame, and the largest lag", () => {
  const lines = renderProgress(
    [progressOf(totalsOf(3000, 7, 60))],
    [progressOf(totalsOf(1000, 0, 20))],
    500,
    WIDE,
  );
  assert.deepEqual(lines, [
    "orders: Enabled   3 shards (1 ended)   records 3,000 (4,000/s)   invocations 60 (80/s)",
    "  failed 7   in flight 0   buffered 1.5 MB   lag 1.5 s",
  ]);
});

test("says nothing of shards where there are none, as on queues", () => {
  const { status, totals } = progressOf(totalsOf(3, 0, 1));
  const lines = renderProgress([{ status: { ...status, shards: [] }, totals }], [], 500, WIDE);
  assert.equal(lines[0], "orders: Enabled   records 3 (0/s)   invocations 1 (0/s)");
});

test("keeps to the terminal's width and height, so that it can be erased", () => {
  const many = Array.from({ length: 50 }, (_, index) => progressOf(totalsOf(1, 0, 0), `mapping-${index}`));
  const lines = renderProgress(many, [], 500, { columns: 40, rows: 10 });
  assert.deepEqual(lines.length, 7);
  assert.equal(lines.at(-1), "… and 47 more mappings");
  for (const line of lines) assert(line.length < 40, line);
});

test("a terminal that does not know its size gets a usual one", () => {
  const lines = renderProgress([progressOf(totalsOf(1, 0, 0))], [], 500, { columns: 0, rows: 0 });
  assert.match(lines[0] ?? "", /^orders: Enabled {3}3 shards/);
});

test("writes log lines above the display and draws it again in its place", () => {
  const screen = createScreen();
  let fire: () => void = () => undefined;
  let cancelled = 0;
  let nowMs = 0;
  const display = new ProgressDisplay(screen.terminal, {
    now: () => 0,
    monotonic: () => nowMs,
    schedule: (_delayMs, tick) => {
      fire = tick;
      return { cancel: () => cancelled++ };
    },
  });
  display.line("before");
  display.start(() => [progressOf(totalsOf(nowMs, 0, 0))]);
  nowMs = 500;
  fire();
  display.line("log 1");
  nowMs = 1000;
  fire();
  display.line("log 2");
  nowMs = 1500;
  display.stop();
  display.line("after");
  assert.equal(cancelled, 1);
  assert.deepEqual(screen.lines(), [
    "before",
    "log 1",
    "log 2",
    "orders: Enabled   3 shards (1 ended)   records 1,500 (1,000/s)   invocations 0 (0/s)",
    "  failed 0   in flight 0   buffered 1.5 MB   lag 1.5 s",
    "after",
  ]);
});

/** A terminal that understands the two sequences that the display uses: up N lines, erase from here. */
function createScreen() {
  const lines: string[] = [];
  return {
    terminal: {
      ...WIDE,
      write(text: string) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences begin with one
        const up = /^\u001b\[(\d+)A\u001b\[0J/.exec(text);
        if (up !== null) lines.splice(lines.length - Number(up[1]));
        lines.push(
          ...text
            .slice(up?.[0].length ?? 0)
            .split("\n")
            .slice(0, -1),
        );
      },
    },
    lines: () => lines,
  };
}

test("shows log lines without the control characters that a function or source put into them", () => {
  const line = formatLogLine(0, "warn", "failed", { error: "\u001b[2Jgone\nnext" });
  assert.match(line, /^\d\d:\d\d:\d\d warn {2}failed error=�\[2Jgone�next$/);
});

test("shows sizes and times in units that people read", () => {
  assert.deepEqual([0, 999, 1500, 2_500_000].map(formatBytes), ["0 B", "999 B", "1.5 kB", "2.5 MB"]);
  assert.deepEqual([3, 1500, 300_000, 36_000_000].map(formatDuration), ["3 ms", "1.5 s", "5 min", "10 h"]);
});
