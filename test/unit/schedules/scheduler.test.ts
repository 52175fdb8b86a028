import assert from "node:assert/strict";
import { test } from "node:test";
import { newAttemptState } from "../../../src/model/async-item.ts";
import type { CursorMove } from "../../../src/ports/async-queue.ts";
import { parseExpression } from "../../../src/schedules/expression.ts";
import { Scheduler } from "../../../src/schedules/scheduler.ts";
import { findZone } from "../../../src/schedules/zone.ts";
import { ManualClock } from "../engine/stream/manual-clock.ts";
import { SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

test("a tick that another process is about to put is tried each second, and not as often as the store answers", async () => {
  const clock = new ManualClock();
  const uid = "one";
  const cursors = new Map<string, string>();
  const tried: number[] = [];
  let isClaimed = true;
  const scheduler = new Scheduler({
    queue: {
      async put(_items, move?: CursorMove) {
        if (move === undefined) return "put";
        if (isClaimed && tried.push(clock.monotonic()) > 0) return "stale";
        if ((cursors.get(move.name) ?? "") !== move.from) return "stale";
        cursors.set(move.name, move.to);
        return "put";
      },
      cursors: async () => cursors,
    },
    clock,
    members: () => ({ processId: "p1", living: ["p1"], isCutOff: false }),
    telemetry: SILENT_TELEMETRY,
    ticks: { ticked: () => undefined, missed: () => undefined },
    onCompleted: () => undefined,
  });
  const expression = parseExpression("rate(1 minute)");
  const zone = findZone("UTC");
  assert.ok(expression !== undefined && zone !== undefined);
  const timetable = { uid, expression, zone, anchorMs: clock.now(), isDueAtAnchor: false, windowMs: 0 };
  const item = { kind: "invoke" as const, lane: "f:one", qualifier: "", body: Buffer.from("{}") };
  const items = () => [{ ...item, id: "tick", state: newAttemptState(0), visibleInMs: 0 }];
  scheduler.start();
  void scheduler.want([{ uid, name: "one", generation: 1, isEnabled: true, timetable, items }]);
  await clock.advance(10_000);
  assert.ok(tried.length >= 9 && tried.length <= 12, `${tried.length} tries in ten seconds`);
  isClaimed = false;
  await clock.advance(1_500);
  assert.match(cursors.get("schedule/one") ?? "", /^1:/, "once it may, it does");
  await scheduler.stop();
});
