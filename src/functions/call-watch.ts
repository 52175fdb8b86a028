import type { Clock, ScheduledCall } from "../ports/clock.ts";

/** How far behind its deadline a call may be noticed; the port allows one second in all. */
const TICK_MS = 50;
/** A tick that comes this much too late says that the process stood still, or was kept from its events. */
const LATE_MS = 250;

/**
 * Ends calls whose deadline has passed or whose caller gave up. A timer and an abort listener for each call would cost
 * more than half of a request's CPU (they are the slowest rows of the dispatch figures), so all calls of a target share
 * one coarse timer, which runs only while there are calls, and one listener per signal.
 */
export class CallWatch {
  readonly #clock: Clock;
  readonly #calls: WatchedCall[] = [];
  readonly #signals = new Map<AbortSignal, WatchedSignal>();
  /** Nearly all calls in a row carry the same signal. */
  #latest: WatchedSignal | undefined;
  #tick: ScheduledCall | undefined;
  /** When the tick is due, by the clock's monotonic scale. */
  #dueMs = 0;
  /** When the last tick came, if it was late: whose deadline had passed by then has had a tick more at the next. */
  #lateMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `call.expiresAt` is on the clock's monotonic scale; its signal has not aborted yet. */
  add(call: WatchedCall): void {
    call.watchIndex = this.#calls.length;
    this.#calls.push(call);
    this.#watchedSignal(call.signal).calls += 1;
    if (this.#tick === undefined) this.#plan();
  }

  /** Does nothing for a call that is not watched. */
  remove(call: WatchedCall): void {
    const index = call.watchIndex;
    if (index < 0) return;
    call.watchIndex = -1;
    const last = this.#calls.pop();
    if (last !== undefined && last !== call) {
      last.watchIndex = index;
      this.#calls[index] = last;
    }
    this.#watchedSignal(call.signal).calls -= 1;
  }

  /** Ends all calls as if their callers had given up, and lets go of every timer and listener. */
  close(): void {
    for (const call of this.#calls.slice()) call.onAbandoned();
    this.#tick?.cancel();
    this.#tick = undefined;
    this.#forgetUnusedSignals();
  }

  readonly #onTick = (): void => {
    this.#tick = undefined;
    const now = this.#clock.monotonic();
    // Timers come before what has arrived: of a process that stood still, calls that were answered in time would end
    // as too late. So each that such a tick would end is given one more, and no more than one.
    // plant: a-late-tick-ends-calls-that-were-answered
    const isLate = now - this.#dueMs > LATE_MS;
    // plant: a-second-late-tick-ends-calls-that-were-answered
    const endedMs = isLate ? this.#lateMs : now;
    this.#lateMs = isLate ? now : Number.NEGATIVE_INFINITY;
    // Backwards: a call that ends is replaced in the array by one that was looked at already.
    for (let index = this.#calls.length - 1; index >= 0; index -= 1) {
      const call = this.#calls[index];
      if (call !== undefined && call.expiresAt <= endedMs) call.onExpired();
    }
    this.#forgetUnusedSignals();
    if (this.#calls.length > 0 && this.#tick === undefined) this.#plan();
  };

  #plan(): void {
    this.#dueMs = this.#clock.monotonic() + TICK_MS;
    this.#tick = this.#clock.schedule(TICK_MS, this.#onTick);
  }

  #watchedSignal(signal: AbortSignal): WatchedSignal {
    if (this.#latest?.signal === signal) return this.#latest;
    let watched = this.#signals.get(signal);
    if (watched === undefined) {
      watched = { signal, calls: 0, onAbort: () => this.#abandonCallsOf(signal) };
      signal.addEventListener("abort", watched.onAbort, { once: true });
      this.#signals.set(signal, watched);
    }
    this.#latest = watched;
    return watched;
  }

  #abandonCallsOf(signal: AbortSignal): void {
    for (const call of this.#calls.filter((candidate) => candidate.signal === signal)) call.onAbandoned();
  }

  /** Here and not in `remove`: a target with one call at a time would add and remove a listener for each. */
  #forgetUnusedSignals(): void {
    for (const watched of this.#signals.values()) {
      if (watched.calls > 0) continue;
      watched.signal.removeEventListener("abort", watched.onAbort);
      this.#signals.delete(watched.signal);
      if (this.#latest === watched) this.#latest = undefined;
    }
  }
}

export interface WatchedCall {
  /** The watch's own: place in its list, −1 while not watched. */
  watchIndex: number;
  readonly expiresAt: number;
  readonly signal: AbortSignal;
  /** The deadline has passed. Must `remove` the call. */
  onExpired(): void;
  /** The signal aborted, or the target is closing. Must `remove` the call. */
  onAbandoned(): void;
}

interface WatchedSignal {
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
  calls: number;
}
