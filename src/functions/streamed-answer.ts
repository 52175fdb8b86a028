import { STREAM_BURST_BYTES, STREAM_BYTES_PER_SECOND, STREAMED_RESPONSE_BYTES_MAX } from "../model/limits.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { ResponseSink } from "../ports/response-sink.ts";
import { brokenOff } from "./function-failure.ts";

/** A response on its way to whoever called: no faster than it may be, no longer, and not beyond the outcome. */
export class StreamedAnswer {
  readonly #sink: ResponseSink;
  readonly #clock: Clock;
  readonly #version: string;
  #isOpen = false;
  #isClosed = false;
  #bytes = 0;
  /** Bytes that may go at once; below zero, what has gone beyond. */
  #allowance = STREAM_BURST_BYTES;
  #countedMs = 0;
  #pause: ScheduledCall | undefined;
  #release: (() => void) | undefined;

  constructor(sink: ResponseSink, clock: Clock, version: string) {
    this.#sink = sink;
    this.#clock = clock;
    this.#version = version;
  }

  /** The sink has heard of it. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** It takes no more. */
  get isFull(): boolean {
    return this.#bytes >= STREAMED_RESPONSE_BYTES_MAX;
  }

  /** Once, before the first byte. `false`: whoever called has its outcome. */
  open(contentType: string | undefined): boolean {
    if (this.#isClosed) return false;
    this.#isOpen = true;
    this.#countedMs = this.#clock.monotonic();
    this.#sink.open({ contentType, executedVersion: this.#version });
    return true;
  }

  /** Until the promise resolves there is no room for more. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    const kept = chunk.subarray(0, STREAMED_RESPONSE_BYTES_MAX - this.#bytes);
    // plant: bytes-go-on-behind-the-outcome
    if (this.#isClosed || kept.length === 0) return undefined;
    this.#bytes += kept.length;
    const taken = this.#sink.write(kept);
    const waitMs = this.#waitMs(kept.length);
    if (taken === undefined && waitMs <= 0) return undefined;
    return new Promise((resolve) => {
      this.#release = resolve;
      const pause = () => this.#pauseFor(waitMs);
      if (taken === undefined) pause();
      else taken.then(pause, pause);
    });
  }

  /** The outcome is there: nothing goes on, and nobody is held up. */
  close(): void {
    this.#isClosed = true;
    this.#goOn();
  }

  /** What whoever called is told, with which the stream is closed: one that has begun is of a function that ran. */
  ended(outcome: InvocationOutcome): InvocationOutcome {
    this.close();
    if (!this.#isOpen) return outcome;
    switch (outcome.kind) {
      case "unavailable":
      case "throttled":
      case "payloadTooLarge":
        return brokenOff();
      case "succeeded":
      case "functionError":
      case "timedOut":
        return outcome;
    }
  }

  #waitMs(bytes: number): number {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#countedMs) / 1000) * STREAM_BYTES_PER_SECOND;
    this.#countedMs = now;
    this.#allowance = Math.min(STREAM_BURST_BYTES, this.#allowance + earned) - bytes;
    return (-this.#allowance / STREAM_BYTES_PER_SECOND) * 1000;
  }

  #pauseFor(ms: number): void {
    if (ms <= 0 || this.#isClosed) this.#goOn();
    else this.#pause = this.#clock.schedule(ms, () => this.#goOn());
  }

  #goOn(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}
