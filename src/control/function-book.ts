import { isDeepStrictEqual } from "node:util";
import type { InvocableFunction } from "../invocation/function-invoker.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { firstOf, whenLate } from "../lib/first-of.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { Telemetry } from "../ports/telemetry.ts";

export interface FunctionBookOptions {
  /** As far as they are known before the store was read. */
  readonly functions: readonly FunctionResource[];
  openFunction(resource: FunctionResource): Promise<FunctionTarget>;
  readonly invokers: Pick<InvokerBook, "replace">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
}

interface OpenFunction {
  readonly resource: FunctionResource;
  readonly fn: InvocableFunction;
}

/** A change counts as carried out after this, also when what was changed still opens. */
const CHANGE_MS_MAX = 10_000;
const REOPEN_MS = 5_000;
/** What a call may take beyond its time-out before its function is closed under it. */
const LATE_CALL_MS = 1_000;

/**
 * The functions of this process, as they are declared, and those of them that are open: each opens at its first use and
 * stays open. One whose declaration has changed opens anew and takes the place of the former, whose calls end where
 * they began; one that cannot be opened anew leaves the former in its place and is tried again.
 */
export class FunctionBook {
  readonly #options: FunctionBookOptions;
  readonly #open = new Map<string, Promise<OpenFunction>>();
  readonly #retries = new Map<string, ScheduledCall>();
  readonly #closing = new Set<Promise<void>>();
  /** By function: why it could not be opened anew, as it was told. */
  readonly #told = new Map<string, string>();
  #functions: readonly FunctionResource[];
  #isClosed = false;

  constructor(options: FunctionBookOptions) {
    this.#options = options;
    this.#functions = options.functions;
  }

  get functions(): readonly FunctionResource[] {
    return this.#functions;
  }

  /** What a mapping is run as: also the time-out of its function bounds how it polls. */
  runKey(generation: number, functionName: string): string {
    return `${generation}/${this.#functions.find(({ name }) => name === functionName)?.timeoutMs}`;
  }

  /** The function of this name, opened when it is not yet. @throws MillraceError */
  async openFunction(name: string): Promise<InvocableFunction> {
    const resource = this.#resourceOf(name);
    const known = this.#open.get(name);
    if (known !== undefined) return (await known).fn;
    const opening = this.#opened(resource);
    this.#open.set(name, opening);
    // Whoever asks next tries again.
    opening.catch(() => this.#open.get(name) === opening && this.#open.delete(name));
    return (await opening).fn;
  }

  /** Resolves when what is open is as declared, or after `CHANGE_MS_MAX`. Never rejects. */
  async declare(functions: readonly FunctionResource[]): Promise<void> {
    this.#functions = functions;
    const changes = functions.filter(({ name }) => this.#open.has(name)).map(({ name }) => this.#renew(name));
    await firstOf(Promise.all(changes), whenLate(this.#options.clock, CHANGE_MS_MAX, undefined));
  }

  /** What these are made of is another: those that are open open anew. Never rejects. */
  async reopen(names: readonly string[]): Promise<void> {
    for (const name of names) this.#told.delete(name);
    await Promise.all(names.filter((name) => this.#open.has(name)).map((name) => this.#renew(name, true)));
  }

  /** Closes everything; never rejects. What could not be closed is returned. */
  async close(): Promise<readonly { readonly name: string; readonly target: FunctionTarget }[]> {
    this.#isClosed = true;
    for (const retry of this.#retries.values()) retry.cancel();
    await Promise.all(this.#closing);
    const opened = await Promise.allSettled(this.#open.values());
    return opened.flatMap((open) => (open.status === "fulfilled" ? [open.value.fn] : []));
  }

  #resourceOf(name: string): FunctionResource {
    const resource = this.#functions.find((fn) => fn.name === name);
    if (resource !== undefined) return resource;
    throw new MillraceError("ERR_MILLRACE_CONFIG", "Function does not exist. Add it to the manifests.");
  }

  async #opened(resource: FunctionResource): Promise<OpenFunction> {
    const { name, timeoutMs, concurrency, isReserved, isConcurrencyAdaptive, errorDetails } = resource;
    const target = await this.#options.openFunction(resource);
    const limits = { timeoutMs, concurrency, isReserved, isConcurrencyAdaptive };
    return { resource, fn: { name, target, ...limits, errorDetails } };
  }

  /** Opens what is declared now in the place of what is open, unless it is that and made of the same. */
  async #renew(name: string, isMadeAnew = false): Promise<void> {
    this.#retries.get(name)?.cancel();
    this.#retries.delete(name);
    const before = this.#open.get(name);
    const former = await before?.catch(() => undefined);
    const resource = this.#functions.find((fn) => fn.name === name);
    if (former === undefined || resource === undefined || this.#open.get(name) !== before) return;
    if (!isMadeAnew && isDeepStrictEqual(former.resource, resource)) return;
    const { clock, telemetry, invokers } = this.#options;
    try {
      const next = await this.#opened(resource);
      if (this.#isClosed || this.#open.get(name) !== before) {
        // Another declaration was opened meanwhile, the newer one or not; or nothing is to be open any more.
        await next.fn.target.close();
        return this.#isClosed ? undefined : await this.#renew(name, isMadeAnew);
      }
      this.#open.set(name, Promise.resolve(next));
      this.#told.delete(name);
      const ended = invokers.replace(next.fn);
      telemetry.log("info", "function changed", { function: name });
      this.#closeLater(former.fn, ended);
    } catch (error) {
      if (this.#isClosed) return;
      this.#tellFailure(name, describeError(error));
      this.#retries.get(name)?.cancel();
      this.#retries.set(
        name,
        clock.schedule(REOPEN_MS, () => void this.#renew(name, isMadeAnew)),
      );
    }
  }

  /** Once for each reason: it is tried again every few seconds. */
  #tellFailure(name: string, error: string): void {
    if (this.#told.get(name) === error) return;
    this.#told.set(name, error);
    const message = "a changed function could not be opened; the former one goes on, and it is tried again";
    this.#options.telemetry.log("error", message, { function: name, error });
  }

  /** Calls that have begun end where they began. */
  #closeLater({ name, target, timeoutMs }: InvocableFunction, ended: Promise<void>): void {
    const { clock, telemetry } = this.#options;
    const closing = firstOf(ended, whenLate(clock, timeoutMs + LATE_CALL_MS, undefined))
      .then(() => target.close())
      .catch((error: unknown) => {
        telemetry.log("warn", "something could not be closed", {
          function: name,
          error: describeError(error),
        });
      })
      .then(() => void this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
