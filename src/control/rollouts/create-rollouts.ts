import { sumOf, type VersionFigures } from "../../invocation/version-figures.ts";
import { functionArn, parseFunctionName } from "../../manifests/function-name.ts";
import type { AlarmQuery } from "../../ports/alarm-query.ts";
import type { CellStore } from "../../ports/cell-store.ts";
import type { Invoker } from "../../ports/invoker.ts";
import type { Membership } from "../../ports/membership.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { QueriedAlarms } from "../../rollouts/queried-alarms.ts";
import { type HookEvent, RolloutDriver, type RunningRollout } from "../../rollouts/rollout-driver.ts";
import type { RolloutFigures } from "../../rollouts/rollout-figures.ts";
import { SharedFigures } from "../../rollouts/shared-figures.ts";
import { RolloutControl, type RolloutControlOptions } from "./rollout-control.ts";

export interface RolloutsOptions extends Omit<RolloutControlOptions, "sightOf"> {
  readonly cells: CellStore;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly membership: Membership;
  readonly door: Invoker;
  readonly figures: VersionFigures;
  /** By function and alias: age of the oldest record of a stream that this process has not settled. */
  readonly iteratorAgeOf: (name: string) => number | undefined;
  /** Absent: no alarm can be asked for. */
  readonly alarmQuery?: AlarmQuery | undefined;
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
  const { cells, clock, random, telemetry, membership, figures, iteratorAgeOf, alarmQuery } = options;
  const control = new RolloutControl({ ...options, sightOf: (id) => driver.sightOf(id) });
  const watched = new WatchedVersions(figures, iteratorAgeOf);
  const own = (id: string) => watched.of(id, clock.monotonic());
  const driver = new RolloutDriver({
    queried: new QueriedAlarms(alarmQuery, clock),
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

interface WatchedVersion {
  /** Function and alias. */
  readonly name: string;
  readonly fn: string;
  readonly from: string;
  readonly to: string;
}

/** By rollout: the versions whose calls are counted. */
class WatchedVersions {
  readonly #figures: VersionFigures;
  readonly #iteratorAgeOf: RolloutsOptions["iteratorAgeOf"];
  #byRollout = new Map<string, WatchedVersion>();

  constructor(figures: VersionFigures, iteratorAgeOf: RolloutsOptions["iteratorAgeOf"]) {
    this.#figures = figures;
    this.#iteratorAgeOf = iteratorAgeOf;
  }

  set(rollouts: readonly RunningRollout[]): void {
    const before = this.#byRollout;
    this.#byRollout = new Map(
      rollouts.map(({ name, rollout: { id, from, to } }) => [
        id,
        { name, fn: name.split(":")[0] ?? "", from, to },
      ]),
    );
    const watched = [...this.#byRollout.values()];
    for (const { fn, from, to } of before.values())
      for (const version of [from, to])
        if (!watched.some((each) => each.fn === fn && (each.from === version || each.to === version)))
          this.#figures.forget(fn, version);
    for (const { fn, from, to } of watched)
      for (const version of [from, to]) this.#figures.watch(fn, version);
  }

  of(id: string, nowMs: number): RolloutFigures {
    const { name = "", fn = "", from = "", to = "" } = this.#byRollout.get(id) ?? {};
    return {
      figures: this.#figures.of(fn, to, nowMs),
      former: this.#figures.of(fn, from, nowMs),
      iteratorAgeMs: this.#iteratorAgeOf(name),
    };
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
