import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { CallWatch, type WatchedCall } from "../../../src/functions/call-watch.ts";
import { createManualClock } from "./manual-clock.ts";

class RecordedCall implements WatchedCall {
  watchIndex = -1;
  readonly expiresAt: number;
  readonly signal: AbortSignal;
  readonly endings: string[] = [];
  readonly #watch: CallWatch;

  constructor(watch: CallWatch, expiresAt: number, signal: AbortSignal) {
    this.#watch = watch;
    this.expiresAt = expiresAt;
    this.signal = signal;
    watch.add(this);
  }

  onExpired(): void {
    this.#end("expired");
  }

  onAbandoned(): void {
    this.#end("abandoned");
  }

  #end(ending: string): void {
    this.endings.push(ending);
    this.#watch.remove(this);
  }
}

test("ends each call soon after its own deadline, and only once", () => {
  const clock = createManualClock();
  const watch = new CallWatch(clock);
  const { signal } = new AbortController();
  const calls = [300, 100, 200, 100].map((expiresAt) => new RecordedCall(watch, expiresAt, signal));
  const endings = () => calls.map((call) => call.endings.join());

  clock.advance(99);
  assert.deepEqual(endings(), ["", "", "", ""]);
  clock.advance(51);
  assert.deepEqual(endings(), ["", "expired", "", "expired"]);
  clock.advance(1000);
  assert.deepEqual(endings(), ["expired", "expired", "expired", "expired"]);
});

test("leaves calls alone that ended before their deadline", () => {
  const clock = createManualClock();
  const watch = new CallWatch(clock);
  const { signal } = new AbortController();
  const [ended, running] = [new RecordedCall(watch, 100, signal), new RecordedCall(watch, 100, signal)];
  watch.remove(ended);
  watch.remove(ended);
  clock.advance(1000);
  assert.deepEqual([ended.endings, running.endings], [[], ["expired"]]);
});

test("ends the calls of an aborted signal at once, and no others", () => {
  const watch = new CallWatch(createManualClock());
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [first, second, first, second].map(({ signal }) => new RecordedCall(watch, 100, signal));
  first.abort();
  assert.deepEqual(
    calls.map((call) => call.endings.join()),
    ["abandoned", "", "abandoned", ""],
  );
});

test("adds one listener to a signal that many calls share, and takes it away when they have ended", () => {
  const clock = createManualClock();
  const watch = new CallWatch(clock);
  const { signal } = new AbortController();
  const calls = Array.from({ length: 100 }, () => new RecordedCall(watch, 10_000, signal));
  assert.equal(getEventListeners(signal, "abort").length, 1);
  for (const call of calls) watch.remove(call);
  clock.advance(100);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("watches a signal again that it has forgotten", () => {
  const clock = createManualClock();
  const watch = new CallWatch(clock);
  const controller = new AbortController();
  watch.remove(new RecordedCall(watch, 10_000, controller.signal));
  clock.advance(100);
  const call = new RecordedCall(watch, 10_000, controller.signal);
  controller.abort();
  assert.deepEqual(call.endings, ["abandoned"]);
});

test("runs its timer only while there are calls, and none after it is closed", () => {
  const clock = createManualClock();
  const watch = new CallWatch(clock);
  const { signal } = new AbortController();
  assert.equal(clock.scheduledCalls, 0);
  watch.remove(new RecordedCall(watch, 10_000, signal));
  clock.advance(100);
  assert.equal(clock.scheduledCalls, 0);
  const open = new RecordedCall(watch, 10_000, signal);
  watch.close();
  assert.deepEqual(open.endings, ["abandoned"]);
  assert.equal(clock.scheduledCalls, 0);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

/** A clock whose timers fire when it is told to, however late that is. */
function createLateClock() {
  let time = 0;
  let due: (() => void) | undefined;
  return {
    now: () => time,
    monotonic: () => time,
    schedule: (_delayMs: number, fire: () => void) => {
      due = fire;
      const cancel = () => {
        due = undefined;
      };
      return { cancel };
    },
    fireAt: (ms: number) => {
      time = ms;
      due?.();
    },
  };
}

test("gives calls of a process that stood still a tick more, in which their answers are read", () => {
  const clock = createLateClock();
  const watch = new CallWatch(clock);
  const { signal } = new AbortController();
  const [answered, silent] = [new RecordedCall(watch, 5_000, signal), new RecordedCall(watch, 5_000, signal)];
  clock.fireAt(6_000);
  assert.deepEqual([answered.endings, silent.endings], [[], []]);
  watch.remove(answered);
  clock.fireAt(6_050);
  assert.deepEqual([answered.endings, silent.endings], [[], ["expired"]]);
});

test("gives each call a tick more, also where the process stands still again at once", () => {
  const clock = createLateClock();
  const watch = new CallWatch(clock);
  const { signal } = new AbortController();
  const [first, second] = [new RecordedCall(watch, 5_000, signal), new RecordedCall(watch, 8_000, signal)];
  clock.fireAt(6_000);
  clock.fireAt(12_000);
  assert.deepEqual([first.endings, second.endings], [["expired"], []]);
  clock.fireAt(12_050);
  assert.deepEqual(second.endings, ["expired"]);
});

test("ends calls whose deadline has passed although each tick is late", () => {
  const clock = createLateClock();
  const watch = new CallWatch(clock);
  const call = new RecordedCall(watch, 5_000, new AbortController().signal);
  clock.fireAt(6_000);
  clock.fireAt(12_000);
  assert.deepEqual(call.endings, ["expired"]);
});
