import assert from "node:assert/strict";
import { test } from "node:test";
import { WakeableLoop } from "../../../src/lib/wakeable-loop.ts";
import { ManualClock } from "../engine/stream/small-world.ts";

interface Started {
  readonly clock: ManualClock;
  readonly loop: WakeableLoop;
  readonly end: AbortController;
  readonly ended: Promise<void>;
  /** When each turn began. */
  readonly turns: number[];
}

function startLoop(
  pauseMs: number,
  work: (started: () => Started) => Promise<void> = async () => {},
): Started {
  const clock = new ManualClock();
  const end = new AbortController();
  const turns: number[] = [];
  const loop = new WakeableLoop({
    clock,
    signal: end.signal,
    pauseMs: () => pauseMs,
    turn: async () => {
      turns.push(clock.monotonic());
      await work(() => started);
    },
  });
  const started: Started = { clock, loop, end, ended: Promise.resolve(), turns };
  return { ...started, ended: loop.run() };
}

test("a turn comes at once, and the next after each pause", async () => {
  const { clock, turns, end, ended } = startLoop(100);
  const beganMs = clock.monotonic();
  await clock.advance(350);
  assert.deepEqual(
    turns.map((ms) => ms - beganMs),
    [0, 100, 200, 300],
  );
  end.abort();
  await ended;
});

test("who wakes it between two turns has one at once, and the pause begins anew", async () => {
  const { clock, loop, turns, end, ended } = startLoop(100);
  const beganMs = clock.monotonic();
  await clock.advance(30);
  loop.wake();
  await clock.advance(130);
  assert.deepEqual(
    turns.map((ms) => ms - beganMs),
    [0, 30, 130],
  );
  end.abort();
  await ended;
});

test("who wakes it during a turn has another one behind it, once", async () => {
  let wakes = 2;
  const { clock, turns, end, ended } = startLoop(1_000, async (started) => {
    if (wakes-- <= 0) return;
    started().loop.wake();
    started().loop.wake();
  });
  await clock.advance(500);
  assert.equal(turns.length, 3);
  end.abort();
  await ended;
});

test("its end cuts a pause short, and leaves no timer behind", async () => {
  const { clock, turns, end, ended } = startLoop(60_000);
  await clock.advance(10);
  end.abort();
  await ended;
  assert.equal(turns.length, 1);
  assert.equal(clock.pendingCalls, 0);
});

test("a loop that has ended before it began makes no turn", async () => {
  const clock = new ManualClock();
  let turns = 0;
  const turn = async () => void turns++;
  const loop = new WakeableLoop({ clock, signal: AbortSignal.abort(), pauseMs: () => 1, turn });
  await loop.run();
  assert.equal(turns, 0);
});
