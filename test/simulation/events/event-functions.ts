import type { FunctionResource } from "../../../src/manifests/resources.ts";
import type { InvokeConfig } from "../../../src/model/invoke-config.ts";
import type { SeededRandom } from "../random.ts";
import { functionNamed } from "./small-events.ts";

/** How a function of the world behaves. */
export interface Behaviour {
  readonly errors: number;
  readonly throttles: number;
  readonly unavailable: number;
  readonly tookMsMax: number;
  /** It never answers before the faults are over. */
  readonly isStalled?: boolean;
  /** Each run makes the next event of its chain. */
  readonly isLooping?: boolean;
}

export interface SimFunction {
  readonly resource: FunctionResource;
  readonly behaviour: Behaviour;
}

export const DESTINATIONS = ["d:steady", "d:flaky", "d:slow", "d:refuses", "fn:sink"] as const;
export const SINK = "sink";
/** Events of a function that a process of a calm world may keep. */
export const FULL_ITEMS = 12;

const WELL: Behaviour = { errors: 0, throttles: 0, unavailable: 0, tookMsMax: 50 };

export function configOf(random: SeededRandom): InvokeConfig & { readonly deadLetter?: string } {
  const one = () => (random.chance(0.6) ? random.pick(DESTINATIONS) : undefined);
  return {
    ...(random.chance(0.7) ? { maximumRetryAttempts: random.int(0, 2) } : {}),
    ...(random.chance(0.7) ? { maximumEventAgeSeconds: random.pick([60, 90, 200, 400]) } : {}),
    ...{ onSuccess: one(), onFailure: one() },
    ...(random.chance(0.4) ? { deadLetter: random.pick(["d:steady", "d:flaky", "d:refuses"]) } : {}),
  };
}

/** A function of this name as its row has it. */
export function rowOf(
  name: string,
  { deadLetter, ...config }: ReturnType<typeof configOf>,
  settings: Partial<FunctionResource> = {},
): FunctionResource {
  return functionNamed(name, {
    config,
    ...(deadLetter === undefined ? {} : { deadLetters: new Map([["$LATEST", deadLetter]]) }),
    ...settings,
  });
}

/** Functions that fail in every way, and a chain that calls itself. */
export function swarmFunctions(random: SeededRandom): readonly SimFunction[] {
  const some = Array.from({ length: random.int(2, 4) }, (_, index) => ({
    resource: rowOf(`f${index}`, configOf(random), {
      concurrency: random.int(1, 4),
      timeoutMs: random.pick([3_000, 30_000]),
    }),
    behaviour: {
      errors: random.pick([0, 0.2, 0.6, 1]),
      throttles: random.pick([0, 0, 0.3, 0.8]),
      unavailable: random.pick([0, 0.2]),
      tookMsMax: random.pick([50, 2_000, 25_000]),
    },
  }));
  const loop = rowOf("loop", { maximumRetryAttempts: 0 }, { concurrency: 2 });
  return [
    ...some,
    { resource: loop, behaviour: { ...WELL, isLooping: true } },
    { resource: rowOf(SINK, {}, { concurrency: 5 }), behaviour: WELL },
  ];
}

/** One that never answers, with more places than a process holds events, beside ones that do. */
export function isolatingFunctions(isLarge: boolean): readonly SimFunction[] {
  const stalled = rowOf("stalled", {}, { concurrency: isLarge ? 200 : 1_500, timeoutMs: 900_000 });
  return [
    { resource: stalled, behaviour: { ...WELL, isStalled: true } },
    { resource: rowOf("throttled", {}, { concurrency: 200 }), behaviour: { ...WELL, throttles: 1 } },
    { resource: rowOf("victim", {}, { concurrency: 10 }), behaviour: WELL },
    { resource: rowOf(SINK, {}, { concurrency: 5 }), behaviour: WELL },
  ];
}

/** The names that no faults and no changes befall: what they do is exact. */
export function calmFunctions(random: SeededRandom): readonly SimFunction[] {
  return swarmFunctions(random).map(({ resource, behaviour }, index) => ({
    resource: index === 0 ? { ...resource, concurrency: 1, timeoutMs: 120_000 } : resource,
    behaviour: index === 0 ? { ...behaviour, tookMsMax: 110_000 } : behaviour,
  }));
}
