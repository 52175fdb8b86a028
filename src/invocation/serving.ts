import type { KeySplit } from "../model/key-split.ts";
import type { Invocation, ShutReason } from "../ports/invoker.ts";
import { FunctionRoutes, type Routed } from "./function-routes.ts";
import type { InvocableFunction } from "./invocable-function.ts";

/** What runs under one declaration of a function. */
export class Serving {
  readonly fn: InvocableFunction;
  readonly #routes: FunctionRoutes;
  /** Nobody declares the function any more. */
  readonly #isGone: boolean;
  #running = 0;
  #onIdle: (() => void) | undefined;

  constructor(fn: InvocableFunction, isGone = false) {
    this.fn = fn;
    this.#routes = new FunctionRoutes(fn);
    this.#isGone = isGone;
  }

  route(call: Invocation): Routed {
    return this.#routes.of(call.functionArn, call);
  }

  /** How keys are dealt out to versions under this name. */
  split(functionArn: string): KeySplit | undefined {
    return this.#routes.split(functionArn);
  }

  /** No call of the function can start, under whatever name. */
  get shutForAll(): ShutReason | undefined {
    // plant: what-nobody-declares-is-taken-for-not-ready
    if (this.#isGone) return "noSuchFunction";
    // plant: a-function-that-reserves-nothing-is-tried
    return this.fn.concurrency === 0 ? "zeroConcurrency" : undefined;
  }

  /** No call under this name can start. */
  shut(functionArn: string): ShutReason | undefined {
    return this.shutForAll ?? this.#routes.shut(functionArn);
  }

  began(): void {
    this.#running++;
  }

  ended(): void {
    this.#running--;
    if (this.#running === 0) this.#onIdle?.();
  }

  /** Resolves when nothing of it runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#running === 0) resolve();
    });
  }
}
