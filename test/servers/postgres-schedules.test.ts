import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { newAttemptState } from "../../src/model/async-item.ts";
import type { AsyncQueue } from "../../src/ports/async-queue.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { CURSOR_PREFIX, readPlace } from "../../src/schedules/cursor-place.ts";
import { parseExpression } from "../../src/schedules/expression.ts";
import type { Scheduled } from "../../src/schedules/scheduled.ts";
import { Scheduler } from "../../src/schedules/scheduler.ts";
import { findZone } from "../../src/schedules/zone.ts";
import { openPostgresAsyncQueue } from "../../src/stores/postgres-async-queue.ts";
import { received, room } from "../contract/async-queue-harness.ts";
import { SILENT_TELEMETRY } from "../unit/engine/stream/small-world.ts";
import { startPostgres } from "./postgres.ts";

const SCHEDULES = 40;
const TICKS = 12;
const MINUTE_MS = 60_000;
/** A minute of theirs is a second of ours. */
const SPEED = 60;
const ANCHOR_MS = Date.UTC(2026, 0, 1, 12);
const NAMES = ["p1", "p2", "p3", "p4"];
const ROUNDS_MAX = 1_000;

const server = await startPostgres();
after(() => server.close());

test("four processes on one PostgreSQL enqueue each tick of each schedule exactly once, or tell that it was missed", {
  timeout: 240_000,
}, async () => {
  const url = await server.createDatabase();
  const processes = await Promise.all(NAMES.map((name) => startProcess(name, url)));
  const queue = await openPostgresAsyncQueue(url);
  const reached = async () => [...(await queue.cursors(CURSOR_PREFIX)).values()].map(ticksUpTo);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const ticks = await reached();
    if (ticks.length === SCHEDULES && ticks.every((count) => count >= TICKS)) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await Promise.all(processes.map(({ scheduler }) => scheduler.stop()));
  const enqueued = await drained(queue);
  assert.deepEqual(
    [...enqueued].filter(([, times]) => times !== 1),
    [],
    "a tick was enqueued more than once",
  );
  const ticks = await reached();
  assert.ok(ticks.length === SCHEDULES && Math.min(...ticks) >= TICKS, `${ticks}`);
  const missed = processes.reduce((sum, each) => sum + each.missed, 0);
  assert.equal(
    enqueued.size + missed,
    ticks.reduce((sum, count) => sum + count, 0),
  );
  await Promise.all([queue.close(), ...processes.map((each) => each.queue.close())]);
});

/** What was enqueued, and how often. */
async function drained(queue: AsyncQueue): Promise<ReadonlyMap<string, number>> {
  const enqueued = new Map<string, number>();
  // Ends: what is handed out is held.
  for (;;) {
    const items = await received(queue, [room("f:fn")]);
    for (const { body } of items) {
      const tick = Buffer.from(body).toString();
      enqueued.set(tick, (enqueued.get(tick) ?? 0) + 1);
    }
    if (items.length === 0) return enqueued;
  }
}

/** From the anchor to where its cursor stands each minute is a tick. */
function ticksUpTo(place: string): number {
  return Math.floor((readPlace(place).atMs - ANCHOR_MS) / MINUTE_MS) + 1;
}

async function startProcess(name: string, url: string) {
  const queue = await openPostgresAsyncQueue(url);
  const process = { queue, missed: 0 };
  const scheduler = new Scheduler({
    queue,
    clock: FAST_CLOCK,
    members: () => ({ processId: name, living: NAMES, isCutOff: false }),
    telemetry: SILENT_TELEMETRY,
    ticks: {
      ticked: () => undefined,
      missed: (_name, ticks) => {
        process.missed += ticks;
      },
    },
    onCompleted: () => undefined,
  });
  scheduler.start();
  void scheduler.want(Array.from({ length: SCHEDULES }, (_, index) => scheduleOf(`s${index}`)));
  return Object.assign(process, { scheduler });
}

const BEGUN_MS = performance.now();
const FAST_CLOCK: Clock = {
  now: () => ANCHOR_MS + FAST_CLOCK.monotonic(),
  monotonic: () => (performance.now() - BEGUN_MS) * SPEED,
  schedule(delayMs, fire) {
    const timer = setTimeout(fire, delayMs / SPEED);
    return { cancel: () => clearTimeout(timer) };
  },
};

function scheduleOf(uid: string): Scheduled {
  const [expression, zone] = [parseExpression("rate(1 minute)"), findZone("UTC")];
  assert.ok(expression !== undefined && zone !== undefined);
  return {
    ...{ uid, name: uid, generation: 1, isEnabled: true },
    timetable: { uid, expression, zone, anchorMs: ANCHOR_MS, isDueAtAnchor: true, windowMs: 0 },
    // An id of its own each time: who enqueues a tick again is seen.
    items: ({ atMs }) => [
      {
        ...{ id: randomUUID(), kind: "invoke", lane: "f:fn", qualifier: "", visibleInMs: 0 },
        body: Buffer.from(`${uid} ${atMs}`),
        state: newAttemptState(0),
      },
    ],
  };
}
