import { MillraceError } from "../../../src/model/errors.ts";
import type { VirtualTime } from "../virtual-clock.ts";

export interface WorldCall<T> {
  readonly travelMs: number;
  readonly replyMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Happens in the world once the request has travelled; what it throws is the answer too. */
  serve(): T;
  /** Happens in the process when the answer arrives, and is not called when the caller has aborted. */
  readonly delivered?: ((result: T) => void) | undefined;
}

/** What all that reaches a process must pass. */
interface CallGate {
  readonly state: "running" | "paused" | "dead";
  enter(fire: () => void): void;
}

/** Calls are many: one object each, in the place of a function for each of their steps. */
export class CallUnderWay<T> {
  readonly #process: CallGate;
  readonly #time: VirtualTime;
  readonly #call: WorldCall<T>;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: unknown) => void;
  #end: { readonly result: T } | { readonly error: unknown } | undefined;

  constructor(
    process: CallGate,
    time: VirtualTime,
    call: WorldCall<T>,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#process = process;
    this.#time = time;
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The request has travelled. */
  arrive(): void {
    try {
      this.#end = { result: this.#call.serve() };
    } catch (error) {
      this.#end = { error };
    }
    if (this.#call.replyMs <= 0) this.answer();
    else this.#time.schedule(this.#call.replyMs, () => this.answer());
  }

  /** Now, or later when the process is paused. */
  answer(): void {
    if (this.#process.state === "running") this.#settle();
    else this.#process.enter(() => this.#settle());
  }

  #settle(): void {
    const end = this.#end;
    if (this.#call.signal?.aborted === true || end === undefined) this.#reject(abortedError());
    else if ("error" in end) this.#reject(end.error);
    else {
      this.#call.delivered?.(end.result);
      this.#resolve(end.result);
    }
  }
}

export function abortedError(): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", "The call was stopped by its caller.");
}
