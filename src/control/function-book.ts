import { isDeepStrictEqual } from "node:util";
import type { InvocableFunction } from "../invocation/invocable-function.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import { firstOf, whenLate } from "../lib/first-of.ts";
import type { FunctionTargetSpec } from "../manifests/function-target-spec.ts";
import type { FunctionResource, MappingResource } from "../manifests/resources.ts";
import { longestTimeoutOfAllMs } from "../model/call-timeouts.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { FunctionTarget, Readiness } from "../ports/function-target.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { reservedBy } from "./account-concurrency.ts";
import { memoryOf } from "./functions/explain-function.ts";
import { attemptMs } from "./mapping-pipe.ts";
import { closeTargets, type OpenFunction, OpenVersions } from "./open-versions.ts";

export interface FunctionBookOptions {
  /** As far as they are known before the store was read. */
  readonly functions: readonly FunctionResource[];
  /** Opens `target`, which may be of any version. */
  openFunction(resource: FunctionResource): Promise<FunctionTarget>;
  readonly invokers: Pick<InvokerBook, "replace" | "reserve" | "withdraw">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
}

/** A change counts as carried out after this, also when what was changed still opens. */
const CHANGE_MS_MAX = 10_000;
const REOPEN_MS = 5_000;
/** What a call may take beyond its time-out (`FunctionTarget`): its function's start, and a second. */
const LATE_CALL_MS = 11_000;

/**
 * The functions of this process, as they are declared, and those of them that are open: each opens at its first use and
 * stays open. Of one whose declaration has changed, what differs opens anew and takes the place of the former, whose
 * calls end where they began. A version that cannot be opened is tried again, and stops no other.
 */
export class FunctionBook {
  readonly #options: FunctionBookOptions;
  readonly #versions: OpenVersions;
  readonly #open = new Map<string, Promise<OpenFunction>>();
  readonly #retries = new Map<string, ScheduledCall>();
  readonly #closing = new Set<Promise<void>>();
  /** By function: why it could not be opened anew, as it was told. */
  readonly #told = new Map<string, string>();
  #functions: readonly FunctionResource[];
  #isClosed = false;

  constructor(options: FunctionBookOptions) {
    this.#options = options;
    this.#versions = new OpenVersions((resource) => options.openFunction(resource));
    this.#functions = options.functions;
  }

  get functions(): readonly FunctionResource[] {
    return this.#functions;
  }

  declares(name: string): boolean {
    return this.#functions.some((fn) => fn.name === name);
  }

  /** What a mapping is run as: also the time-outs of its functions bound how it polls. */
  runKey(generation: number, { mapping }: Pick<MappingResource, "mapping">): string {
    return `${generation}/${attemptMs(mapping, this.#functions)}`;
  }

  /** The function of this name, opened when it is not yet. @throws MillraceError when nothing of it can be. */
  async openFunction(name: string): Promise<InvocableFunction> {
    const resource = this.#resourceOf(name);
    const known = this.#open.get(name);
    if (known !== undefined) return (await known).fn;
    const opening = this.#openFirst(resource);
    this.#open.set(name, opening);
    // Whoever asks next tries again.
    opening.catch(() => this.#open.get(name) === opening && this.#open.delete(name));
    return (await opening).fn;
  }

  /** Resolves when what is open is as declared, or after `CHANGE_MS_MAX`. Never rejects. */
  async declare(functions: readonly FunctionResource[]): Promise<void> {
    this.#functions = functions;
    this.#options.invokers.reserve(reservedBy(functions));
    const changes = [...this.#open.keys()].map((name) =>
      this.declares(name) ? this.#renew(name) : this.#withdraw(name),
    );
    this.#openAhead();
    await firstOf(Promise.all(changes), whenLate(this.#options.clock, CHANGE_MS_MAX, undefined));
  }

  /** What is to be ready before anybody calls opens before anybody does. */
  #openAhead(): void {
    for (const fn of this.#functions) {
      if (!startsAhead(fn) || this.#open.has(fn.name)) continue;
      void this.openFunction(fn.name).catch((error: unknown) => this.#tellAhead(fn.name, error));
    }
  }

  /** Why it, or a version of it, could not be opened; `undefined`: nothing is in the way. */
  troubleOf(name: string): string | undefined {
    return this.#told.get(name);
  }

  /** What one environment of it may use; `undefined`: nothing of it is run here. */
  memoryOf(name: string): number | undefined {
    const resource = this.#functions.find((fn) => fn.name === name);
    return resource && memoryOf(resource);
  }

  /** Environments of a version that could take a call; `undefined`: it is not open, or starts nothing ahead. */
  async readinessOf(name: string, version: string): Promise<Readiness | undefined> {
    const open = await this.#open.get(name)?.catch(() => undefined);
    return open?.targets.get(version)?.target.readiness?.();
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
    return opened.flatMap((open) => {
      if (open.status === "rejected") return [];
      const { fn, targets } = open.value;
      return [...targets.values()].map(({ target }) => ({ name: fn.name, target }));
    });
  }

  #tellAhead(name: string, error: unknown): void {
    const message = "a function that is to be ready ahead could not be opened; its next call tries again";
    this.#options.telemetry.log("error", message, { function: name, error: describeError(error) });
  }

  async #openFirst(resource: FunctionResource): Promise<OpenFunction> {
    const open = await this.#versions.open(resource, undefined);
    // Where it was open before, and then declared by nobody for a while, its door is there and shut.
    void this.#options.invokers.replace(open.fn);
    this.#tellUnopened(open);
    return open;
  }

  #resourceOf(name: string): FunctionResource {
    const resource = this.#functions.find((fn) => fn.name === name);
    if (resource !== undefined) return resource;
    throw new MillraceError("ERR_MILLRACE_NO_FUNCTION", "Function does not exist. Add it to the manifests.");
  }

  /** Nobody declares it any more: its calls are refused, and those that run end. */
  async #withdraw(name: string): Promise<void> {
    const before = this.#open.get(name);
    this.#cancelRetry(name);
    const former = await before?.catch(() => undefined);
    if (former === undefined || this.declares(name) || this.#open.get(name) !== before) return;
    this.#open.delete(name);
    const ended = this.#options.invokers.withdraw(name);
    const targets = [...former.targets.values()].map(({ target }) => target);
    this.#closeLater(former.fn, targets, ended);
  }

  /** Opens what is declared now in the place of what is open, unless it is that and made of the same. */
  async #renew(name: string, isMadeAnew = false): Promise<void> {
    this.#cancelRetry(name);
    const before = this.#open.get(name);
    const former = await before?.catch(() => undefined);
    const resource = this.#functions.find((fn) => fn.name === name);
    if (former === undefined || resource === undefined || this.#open.get(name) !== before) return;
    const isDeclaredSo = isDeepStrictEqual(former.resource, resource);
    const isSame = !isMadeAnew && isDeclaredSo;
    if (isSame && former.failures.size === 0) return;
    // Never rejects: what cannot be opened anew leaves the former in its place.
    const next = await this.#versions.open(resource, former, isMadeAnew);
    const isOvertaken = this.#open.get(name) !== before;
    if (this.#isClosed || isOvertaken) {
      // Another declaration was opened meanwhile, the newer one or not; or nothing is to be open any more.
      await closeTargets(next.opened);
      return this.#isClosed ? undefined : await this.#renew(name, isMadeAnew);
    }
    if (next.opened.length === 0 && isSame) return this.#tellUnopened(next);
    this.#open.set(name, Promise.resolve(next));
    const ended = this.#options.invokers.replace(next.fn);
    const isAnother = next.opened.length > 0 || !isDeclaredSo;
    if (isAnother) this.#options.telemetry.log("info", "function changed", { function: name });
    this.#tellUnopened(next);
    const kept = new Set([...next.targets.values()].map(({ target }) => target));
    const left = [...former.targets.values()].map(({ target }) => target);
    this.#closeLater(
      former.fn,
      left.filter((target) => !kept.has(target)),
      ended,
    );
  }

  #cancelRetry(name: string): void {
    this.#retries.get(name)?.cancel();
    this.#retries.delete(name);
  }

  #tellUnopened({ fn: { name }, failures }: OpenFunction): void {
    if (failures.size === 0) this.#told.delete(name);
    if (this.#isClosed || failures.size === 0) return;
    const { clock } = this.#options;
    this.#tellFailures(name, failures);
    this.#retries.get(name)?.cancel();
    this.#retries.set(
      name,
      clock.schedule(REOPEN_MS, () => void this.#renew(name)),
    );
  }

  /** Once for each reason: it is tried again every few seconds. */
  #tellFailures(name: string, failures: OpenFunction["failures"]): void {
    const error = [...failures].map(([version, failure]) => `${version}: ${describeError(failure.error)}`);
    const text = error.join("\n");
    if (this.#told.get(name) === text) return;
    this.#told.set(name, text);
    const message = [...failures.values()].every(({ goesOn }) => goesOn)
      ? "a changed function could not be opened; the former one goes on, and it is tried again"
      : "a version of a function could not be opened; its calls are refused, and it is tried again";
    this.#options.telemetry.log("error", message, { function: name, error: text });
  }

  /** Calls that have begun end where they began. */
  #closeLater(fn: InvocableFunction, targets: readonly FunctionTarget[], ended: Promise<void>): void {
    if (targets.length === 0) return;
    const { clock, telemetry } = this.#options;
    const closing = firstOf(ended, whenLate(clock, longestTimeoutOfAllMs(fn) + LATE_CALL_MS, undefined))
      .then(() => closeTargets(targets))
      .catch((error: unknown) => {
        telemetry.log("warn", "something could not be closed", {
          function: fn.name,
          error: describeError(error),
        });
      })
      .then(() => void this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

/** By provisioned concurrency, or by `scaling.environments.min` of a version. */
function startsAhead({ provisioned, target, versions }: FunctionResource): boolean {
  const keepsSome = (spec: FunctionTargetSpec) => spec.kind === "runtime" && spec.scaling.environmentsMin > 0;
  return provisioned !== undefined || keepsSome(target) || [...versions.values()].some(keepsSome);
}
