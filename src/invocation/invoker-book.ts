import type { CallFigures } from "../model/call-figures.ts";
import type { Clock } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { CallTracer } from "./call-tracer.ts";
import { type ErrorBook, unredactedErrors } from "./error-book.ts";
import { FunctionInvoker } from "./function-invoker.ts";
import type { InvocableFunction } from "./invocable-function.ts";
import type { SharedLimits } from "./shared-limits.ts";
import { UnreservedPool } from "./unreserved-pool.ts";
import { VersionFigures } from "./version-figures.ts";

export interface InvokerBookOptions {
  readonly errors?: ErrorBook;
  /** Absent: calls of no batch are not traced. */
  readonly tracer?: CallTracer | undefined;
  /** Calls at once of all functions together; absent: there is no such bound. */
  readonly accountConcurrency?: number | undefined;
}

/** The door of each function of this process: one for all who call it, since its concurrency holds over all of them. */
export class InvokerBook {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  /** How the functions behind these doors fail. */
  readonly errors: ErrorBook;
  /** How their calls go, by version, for whoever watches one. */
  readonly figures = new VersionFigures();
  readonly #tracer: CallTracer | undefined;
  readonly #unreserved: UnreservedPool | undefined;
  #limits: SharedLimits | undefined;
  readonly #invokers = new Map<string, FunctionInvoker>();

  constructor(clock: Clock, telemetry: Telemetry, options: InvokerBookOptions = {}) {
    const { errors = unredactedErrors(clock), tracer, accountConcurrency } = options;
    this.#tracer = tracer;
    if (accountConcurrency !== undefined) this.#unreserved = new UnreservedPool(accountConcurrency);
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.errors = errors;
  }

  /** Functions whose door is opened after this share the concurrency that they reserve with other processes. */
  share(limits: SharedLimits): void {
    this.#limits = limits;
    this.#unreserved?.open(limits);
  }

  /** So much is reserved by all functions that are declared: the others share what that leaves of the account. */
  reserve(places: number): void {
    this.#unreserved?.reserve(places);
  }

  invokerOf(fn: InvocableFunction): FunctionInvoker {
    // plant: a-mapping-waits-for-anothers-function
    let invoker = this.#invokers.get(fn.name);
    if (invoker === undefined) {
      invoker = new FunctionInvoker(fn, this.#clock, this.#telemetry, {
        limits: this.#limits,
        errors: this.errors,
        tracer: this.#tracer,
        unreserved: this.#unreserved,
        figures: this.figures,
      });
      this.#invokers.set(fn.name, invoker);
    }
    return invoker;
  }

  /** Calls from now on are of `fn`. Resolves when those of the former of its name have ended. */
  async replace(fn: InvocableFunction): Promise<void> {
    await this.#invokers.get(fn.name)?.replace(fn);
  }

  /** Nobody declares the function any more. Resolves when its calls have ended. */
  async withdraw(name: string): Promise<void> {
    await this.#invokers.get(name)?.withdraw();
  }

  /** Calls of a caller that wait for their turn, at whatever function, end at once, not started. */
  dismiss(caller: string): void {
    for (const invoker of this.#invokers.values()) invoker.dismiss(caller);
  }

  /** Calls of a function that could start now; `undefined`: nobody has called it yet. */
  roomOf(name: string): number | undefined {
    return this.#invokers.get(name)?.room;
  }

  /** Calls that run and that wait for their turn now, of each function that has any. */
  calls(): readonly CallFigures[] {
    return [...this.#invokers].flatMap(([fn, { taken, waiting }]) =>
      taken + waiting === 0 ? [] : [{ fn, running: taken, waiting }],
    );
  }

  /** Calls that run now, of all functions. */
  get taken(): number {
    let taken = 0;
    for (const invoker of this.#invokers.values()) taken += invoker.taken;
    return taken;
  }
}
