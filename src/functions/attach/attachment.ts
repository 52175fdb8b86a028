import type { InvocationOutcome } from "../../model/outcome.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import { CallWatch } from "../call-watch.ts";
import { abandoned } from "../function-failure.ts";
import { Environment } from "../runtime/environment.ts";
import { type EnvironmentOwner, type EnvironmentParts, NO_RUN } from "../runtime/environment-parts.ts";
import { RETURN_MS } from "../runtime/environment-times.ts";
import type { RuntimeCall } from "../runtime/runtime-call.ts";

/** It has a call, and takes no other; or no process asks for an event. */
export type AttachmentStanding = "idle" | "busy" | "returning" | "unready";

export interface AttachmentOptions extends EnvironmentParts {
  readonly clock: Clock;
}

const AGAIN_MS = 100;
const BUSY: InvocationOutcome = { kind: "throttled", retryAfterMs: undefined };
const UNREADY: InvocationOutcome = {
  kind: "unavailable",
  message: "The function's process has not asked for an event yet.",
};

/** One environment whose process somebody else starts, again and again: it takes one call at a time. */
export class Attachment implements EnvironmentOwner {
  readonly #options: AttachmentOptions;
  readonly #watch: CallWatch;
  #environment: Environment;
  /** It came a moment before the process asked for more. */
  #waiting: RuntimeCall | undefined;
  #patience: ScheduledCall | undefined;
  #ended: (() => void) | undefined;
  #isClosed = false;

  constructor(options: AttachmentOptions) {
    this.#options = options;
    this.#watch = new CallWatch(options.clock);
    this.#environment = new Environment(options, this, false);
    this.#environment.start();
  }

  get standing(): AttachmentStanding {
    switch (this.#environment.state.name) {
      case "idle":
        return "idle";
      case "busy":
        return "busy";
      case "answered":
        return this.#waiting === undefined ? "returning" : "busy";
      default:
        return "unready";
    }
  }

  run(call: RuntimeCall): void {
    switch (this.#isClosed ? "unready" : this.standing) {
      case "idle":
        this.#give(call);
        return;
      case "returning":
        this.#waiting = call;
        this.#patience = this.#options.clock.schedule(RETURN_MS, () => this.#refuseWaiting(BUSY));
        return;
      case "busy":
        call.settle(BUSY, NO_RUN);
        return;
      case "unready":
        call.settle(UNREADY, NO_RUN);
    }
  }

  /** The call that runs ends first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#refuseWaiting(UNREADY);
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    const { name } = this.#environment.state;
    if (name !== "busy") this.#environment.signal({ kind: "close" });
    await ended;
    this.#watch.close();
  }

  onFree(environment: Environment): void {
    if (this.#isClosed) return void environment.signal({ kind: "close" });
    // It was reset. The process that comes next finds it waiting.
    if (environment.state.name === "new") {
      setImmediate(() => {
        if (environment.state.name === "new") environment.start();
      });
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#patience?.cancel();
    if (waiting !== undefined) this.#give(waiting);
  }

  onUnfree(): void {
    this.#refuseWaiting(UNREADY);
  }

  onStartFailed(): void {}

  onLate(): void {}

  onReturning(): void {}

  onLost(): void {
    this.#again();
  }

  onGone(): void {
    this.#again();
  }

  onWaitedTooLong(call: RuntimeCall): void {
    call.settle(BUSY, NO_RUN);
  }

  onCallLeft(call: RuntimeCall, outcome: InvocationOutcome): void {
    call.settle(outcome, NO_RUN);
  }

  unwatch(call: RuntimeCall): void {
    this.#watch.remove(call);
  }

  #give(call: RuntimeCall): void {
    const { clock } = this.#options;
    call.wait(0, this);
    call.begin(this.#environment, clock.monotonic(), clock.now());
    this.#watch.add(call);
    this.#environment.take(call);
  }

  #refuseWaiting(outcome: InvocationOutcome): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#patience?.cancel();
    waiting?.settle(outcome, NO_RUN);
  }

  #again(): void {
    this.#refuseWaiting(abandoned());
    if (this.#isClosed) this.#ended?.();
    else this.#options.clock.schedule(AGAIN_MS, () => this.#renew());
  }

  #renew(): void {
    if (this.#isClosed) {
      this.#ended?.();
      return;
    }
    this.#environment = new Environment(this.#options, this, false);
    this.#environment.start();
  }
}
