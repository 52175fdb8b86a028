import { LATEST } from "../invocation/function-routes.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { functionArn } from "../manifests/function-name.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import { longestTimeoutOfAllMs, timeoutMsOf } from "../model/call-timeouts.ts";
import type { Place } from "../model/place.ts";
import type { AsyncFunction, AsyncFunctions } from "../ports/async-functions.ts";
import type { FunctionBook } from "./function-book.ts";

const NO_CONFIG = {};

/** The functions of this process for its asynchronous events: as rows say them at each question. */
export class DeclaredAsyncFunctions implements AsyncFunctions {
  readonly #book: Pick<FunctionBook, "functions">;
  readonly #invokers: Pick<InvokerBook, "roomOf">;
  readonly #place: Place;

  constructor(book: Pick<FunctionBook, "functions">, invokers: Pick<InvokerBook, "roomOf">, place: Place) {
    this.#book = book;
    this.#invokers = invokers;
    this.#place = place;
  }

  names(): readonly string[] {
    return this.#book.functions.map(({ name }) => name);
  }

  room(name: string): number {
    const fn = this.#resourceOf(name);
    // Nobody runs what is gone, and what may not start: its events are only brought to their end.
    if (fn === undefined || fn.concurrency === 0) return ENDED_AT_ONCE;
    return this.#invokers.roomOf(name) ?? fn.concurrency;
  }

  timeoutMs(name: string, version?: string): number {
    const fn = this.#resourceOf(name);
    if (fn === undefined) return 0;
    return version === undefined ? longestTimeoutOfAllMs(fn) : timeoutMsOf(fn, version);
  }

  find(name: string, qualifier: string): AsyncFunction | undefined {
    const fn = this.#resourceOf(name);
    const version = fn && versionOf(fn, qualifier === "" ? LATEST : qualifier);
    if (fn === undefined || version === undefined) return undefined;
    return {
      isZero: fn.isReserved && fn.concurrency === 0,
      config: fn.invokeConfigs?.get(qualifier === "" ? LATEST : qualifier) ?? NO_CONFIG,
      deadLetterOf: (executedVersion = version) => fn.deadLetters?.get(executedVersion),
    };
  }

  arnOf(name: string, qualifier: string): string {
    return functionArn({ name, qualifier: qualifier === "" ? undefined : qualifier }, this.#place);
  }

  #resourceOf(name: string): FunctionResource | undefined {
    return this.#book.functions.find((fn) => fn.name === name);
  }
}

const ENDED_AT_ONCE = 10;

function versionOf(fn: FunctionResource, qualifier: string): string | undefined {
  if (qualifier === LATEST || fn.versions.has(qualifier)) return qualifier;
  const alias = fn.aliases.get(qualifier);
  if (alias !== undefined) return alias.version;
  // Without versions and aliases a qualifier is only shown.
  return fn.versions.size + fn.aliases.size === 0 && fn.target.kind !== "runtime" ? LATEST : undefined;
}
