import { qualifierIn, timeoutMsOf } from "../model/call-timeouts.ts";
import type { KeySplit } from "../model/key-split.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { ShutReason } from "../ports/invoker.ts";
import { type AliasRoute, type RoutedCall, sideOf, splitOf } from "./alias-route.ts";
import type { InvocableFunction } from "./invocable-function.ts";
import { UnopenedTarget } from "./unopened-target.ts";

/** Where a call goes. */
export interface Route {
  readonly version: string;
  readonly target: FunctionTarget;
  /** What a call of that version may take. */
  readonly timeoutMs: number;
}

interface Named {
  readonly route: AliasRoute;
  readonly split: KeySplit | undefined;
}

export type Routed = Route | Exclude<ShutReason, "zeroConcurrency">;

export const LATEST = "$LATEST";

/** What the names of one function mean: itself, its versions and its aliases. Each attempt asks anew. */
export class FunctionRoutes {
  readonly #latest: Routed;
  readonly #versions = new Map<string, Routed>();
  readonly #aliases: ReadonlyMap<string, AliasRoute>;
  readonly #problems = new Map<string, string>();
  /** Without versions and aliases a qualifier is only shown. */
  readonly #isPlain: boolean;
  /** Names that were asked for, and mean something: as many as there are versions and aliases, and a few. */
  readonly #named = new Map<string, Named>();
  /** Nearly always no alias has. */
  readonly #hasWeights: boolean;

  constructor(fn: Omit<InvocableFunction, "name" | "concurrency">) {
    const { target, versions, aliases } = fn;
    this.#aliases = aliases ?? new Map();
    this.#isPlain = (versions?.size ?? 0) + this.#aliases.size === 0;
    this.#hasWeights = [...this.#aliases.values()].some(({ weights }) => weights.size > 0);
    for (const [version, each] of [[LATEST, target] as const, ...(versions ?? [])]) {
      const isOpen = !(each instanceof UnopenedTarget);
      if (!isOpen) this.#problems.set(version, each.problem);
      const route = { version, target: each, timeoutMs: timeoutMsOf(fn, version) };
      // plant: a-version-that-could-not-be-opened-is-called
      this.#versions.set(version, isOpen ? route : "notReady");
    }
    this.#latest = this.#versions.get(LATEST) ?? "noSuchFunction";
  }

  of(functionArn: string, call: RoutedCall): Routed {
    if (this.#isPlain) return this.#latest;
    const named = this.#meaning(functionArn);
    return (named && this.#versions.get(sideOf(named.route, call, named.split))) ?? "noSuchFunction";
  }

  /** How keys are dealt out to versions under this name; `undefined`: they are not. */
  split(functionArn: string): KeySplit | undefined {
    return this.#hasWeights ? this.#meaning(functionArn)?.split : undefined;
  }

  /** Why no call under this name can start. */
  shut(functionArn: string): ShutReason | undefined {
    if (this.#isPlain) return reasonOf(this.#latest);
    const named = this.#meaning(functionArn);
    if (named === undefined) return "noSuchFunction";
    const main = reasonOf(this.#versions.get(named.route.version));
    if (main === undefined) return undefined;
    // plant: an-alias-is-shut-with-its-main-version
    for (const other of named.route.weights.keys())
      if (reasonOf(this.#versions.get(other)) === undefined) return undefined;
    return main;
  }

  /** Why what this name means cannot be opened, for people. */
  problem(functionArn: string): string | undefined {
    return this.#versionsOf(functionArn).flatMap((version) => this.#problems.get(version) ?? [])[0];
  }

  #versionsOf(functionArn: string): readonly string[] {
    if (this.#isPlain) return [LATEST];
    const named = this.#meaning(functionArn);
    return named === undefined ? [] : [named.route.version, ...named.route.weights.keys()];
  }

  #meaning(functionArn: string): Named | undefined {
    const known = this.#named.get(functionArn);
    if (known !== undefined) return known;
    const qualifier = qualifierIn(functionArn) ?? LATEST;
    const isVersion = this.#versions.has(qualifier);
    const route = isVersion ? { version: qualifier, weights: NONE } : this.#aliases.get(qualifier);
    if (route === undefined) return undefined;
    const named = { route, split: splitOf(route) };
    this.#named.set(functionArn, named);
    return named;
  }
}

function reasonOf(route: Routed | undefined): ShutReason | undefined {
  if (route === undefined) return "noSuchFunction";
  return typeof route === "string" ? route : undefined;
}

const NONE: ReadonlyMap<string, number> = new Map();
