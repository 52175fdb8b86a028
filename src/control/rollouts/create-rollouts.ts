import { sumOf, type VersionFigures } from "../../invocation/version-figures.ts";
import { functionArn, parseFunctionName } from "../../manifests/function-name.ts";
import type { CellStore } from "../../ports/cell-store.ts";
import type { Invoker } from "../../ports/invoker.ts";
import type { Membership } from "../../ports/membership.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { type HookEvent, RolloutDriver, type RunningRollout } from "../../rollouts/rollout-driver.ts";
import { SharedFigures } from "../../rollouts/shared-figures.ts";
import { RolloutControl, type RolloutControlOptions } from "./rollout-control.ts";

export interface RolloutsOptions extends RolloutControlOptions {
  readonly cells: CellStore;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly membership: Membership;
  readonly door: Invoker;
  readonly figures: VersionFigures;
}

export interface Rollouts {
  readonly control: RolloutControl;
  readonly driver: RolloutDriver;
}

/** No mapping has a name with brackets. */
const HOOK_CALLER = { kind: "hook", key: "(hook)" } as const;
const HOOK_PATIENCE_MS = 5_000;
const NEVER = new AbortController().signal;

/** What starts, stops and moves the rollouts of a store, in each of its processes. */
export function createRollouts(options: RolloutsOptions): Rollouts {
  const { cells, clock, random, telemetry, membership, figures } = options;
  const control = new RolloutControl(options);
  const watched = new WatchedVersions(figures);
  const own = (id: string) => watched.of(id, clock.monotonic());
  const driver = new RolloutDriver({
    clock,
    random,
    telemetry,
    figures: new SharedFigures({ cells, clock, membership, own, sum: sumOf }),
    running: () => control.running(),
    write: (seen, next) => control.write(seen, next),
    watch: (rollouts) => watched.set(rollouts),
    callHook: (fn, event) => callHook(fn, event, options),
  });
  return { control, driver };
}

/** By rollout: the version whose calls are counted. */
class WatchedVersions {
  readonly #figures: VersionFigures;
  #byRollout = new Map<string, { readonly fn: string; readonly version: string }>();

  constructor(figures: VersionFigures) {
    this.#figures = figures;
  }

  set(rollouts: readonly RunningRollout[]): void {
    const before = this.#byRollout;
    this.#byRollout = new Map(
      rollouts.map(({ name, rollout }) => [
        rollout.id,
        { fn: name.split(":")[0] ?? "", version: rollout.to },
      ]),
    );
    for (const [id, { fn, version }] of before) {
      if (!this.#byRollout.has(id)) this.#figures.forget(fn, version);
    }
    for (const { fn, version } of this.#byRollout.values()) this.#figures.watch(fn, version);
  }

  of(id: string, nowMs: number) {
    const { fn = "", version = "" } = this.#byRollout.get(id) ?? {};
    return this.#figures.of(fn, version, nowMs);
  }
}

/** A hook's failure is its rollout's. Never rejects. */
async function callHook(
  fn: string,
  event: HookEvent,
  { door, random, place }: Pick<RolloutsOptions, "door" | "random" | "place">,
): Promise<boolean> {
  const { name, qualifier } = parseFunctionName(fn) ?? { name: fn, qualifier: undefined };
  const result = await door.invoke({
    caller: HOOK_CALLER,
    requestId: random.uuid(),
    functionArn: functionArn({ name, qualifier }, place),
    patienceMs: HOOK_PATIENCE_MS,
    payload: () => Buffer.from(JSON.stringify(event)),
    mayStart: () => true,
    signal: NEVER,
  });
  return result.kind === "succeeded";
}
