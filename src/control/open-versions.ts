import { isDeepStrictEqual } from "node:util";
import { LATEST } from "../invocation/function-routes.ts";
import type { InvocableFunction } from "../invocation/invocable-function.ts";
import { UnopenedTarget } from "../invocation/unopened-target.ts";
import type { FunctionTargetSpec } from "../manifests/function-target-spec.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import { describeError } from "../model/errors.ts";
import type { FunctionTarget } from "../ports/function-target.ts";

export interface OpenTarget {
  /** What it was opened as. */
  readonly spec: FunctionTargetSpec;
  readonly concurrency: number;
  /** Environments that it starts before anybody calls. */
  readonly provisioned: number;
  readonly target: FunctionTarget;
  /** It is made of other files than it was opened of, and could not be opened anew yet. */
  readonly isStale?: boolean;
}

export interface OpenFailure {
  readonly error: unknown;
  /** What the version was before goes on in its place. */
  readonly goesOn: boolean;
}

/** A function with those of its versions that are open. */
export interface OpenFunction {
  readonly resource: FunctionResource;
  readonly fn: InvocableFunction;
  readonly targets: ReadonlyMap<string, OpenTarget>;
  /** Those that this opening has opened. */
  readonly opened: readonly FunctionTarget[];
  /** By version. */
  readonly failures: ReadonlyMap<string, OpenFailure>;
}

/** Opens the versions of functions, each apart from the others, and keeps what stays as it is. */
export class OpenVersions {
  readonly #openTarget: (resource: FunctionResource) => Promise<FunctionTarget>;

  /** `openTarget` opens the resource's `target`. */
  constructor(openTarget: (resource: FunctionResource) => Promise<FunctionTarget>) {
    this.#openTarget = openTarget;
  }

  /**
   * `former`: what is open of the function; absent: nothing is. Then it rejects when nothing can be opened.
   * `isMadeAnew`: what it is made of is another, so that nothing is kept.
   */
  async open(
    resource: FunctionResource,
    former: OpenFunction | undefined,
    isMadeAnew = false,
  ): Promise<OpenFunction> {
    const specs = [[LATEST, resource.target] as const, ...resource.versions];
    const results = await Promise.allSettled(
      specs.map(([version, spec]) =>
        this.#opened({ ...resource, version }, spec, isMadeAnew ? undefined : former?.targets.get(version)),
      ),
    );
    const targets = new Map<string, OpenTarget>();
    const failures = new Map<string, OpenFailure>();
    for (const [index, [version]] of specs.entries()) {
      const result = results[index];
      const before = former?.targets.get(version);
      if (result?.status === "fulfilled") targets.set(version, result.value);
      else {
        failures.set(version, { error: result?.reason, goesOn: before !== undefined });
        if (before !== undefined) targets.set(version, isMadeAnew ? { ...before, isStale: true } : before);
      }
    }
    if (former === undefined && targets.size === 0) throw failures.get(LATEST)?.error;
    const known = new Set([...(former?.targets.values() ?? [])].map(({ target }) => target));
    const opened = [...targets.values()].map(({ target }) => target).filter((target) => !known.has(target));
    return { resource, fn: invocable(resource, targets, failures), targets, opened, failures };
  }

  async #opened(
    resource: FunctionResource,
    spec: FunctionTargetSpec,
    former: OpenTarget | undefined,
  ): Promise<OpenTarget> {
    const { concurrency, version = LATEST } = resource;
    const provisioned = resource.provisioned?.get(version) ?? 0;
    // As many connections, or threads, as calls may run: another concurrency is another target.
    const isSame =
      former?.concurrency === concurrency &&
      former.provisioned === provisioned &&
      isDeepStrictEqual(former.spec, spec);
    if (former !== undefined && isSame && former.isStale !== true) return former;
    return { spec, concurrency, provisioned, target: await this.#openTarget({ ...resource, target: spec }) };
  }
}

function invocable(
  resource: FunctionResource,
  targets: ReadonlyMap<string, OpenTarget>,
  failures: ReadonlyMap<string, OpenFailure>,
): InvocableFunction {
  const { name, versions, aliases, concurrency, isReserved, isConcurrencyAdaptive, errorDetails } = resource;
  const { timeoutMs, versionTimeoutsMs } = resource;
  const targetOf = (version: string) =>
    targets.get(version)?.target ?? new UnopenedTarget(describeError(failures.get(version)?.error));
  return {
    ...{ name, timeoutMs, concurrency, isReserved, isConcurrencyAdaptive, errorDetails, aliases },
    ...(versionTimeoutsMs === undefined ? {} : { versionTimeoutsMs }),
    ...(resource.allowsLoops === true ? { allowsLoops: true } : {}),
    target: targetOf(LATEST),
    versions: new Map([...versions.keys()].map((version) => [version, targetOf(version)])),
  };
}

/** @throws what the first that could not be closed threw; the others are closed all the same. */
export async function closeTargets(targets: readonly FunctionTarget[]): Promise<void> {
  const closed = await Promise.allSettled(targets.map((target) => target.close()));
  for (const result of closed) if (result.status === "rejected") throw result.reason;
}
