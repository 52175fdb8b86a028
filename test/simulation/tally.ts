import type { Violation } from "./checkers/checker.ts";
import { generateScenario } from "./generate-scenario.ts";
import { runScenario, traceHash } from "./run-scenario.ts";
import type { WorldOptions } from "./world/world.ts";

/** What a set of runs came to; plain data, so that workers can send it. */
export interface Tally {
  seeds: number;
  invocations: number;
  events: number;
  /** Processor time of the threads that run seeds: what a core does, whoever else is on the machine. */
  cpuMs: number;
  /** Virtual time that went by. */
  virtualMs: number;
  /** Faults injected, by kind. */
  readonly faults: Map<string, number>;
  /** Seeds in which a mark was reached, by mark. */
  readonly marks: Map<string, number>;
  readonly failures: SeedFailure[];
}

export interface SeedFailure {
  readonly seed: number;
  readonly violations: readonly Violation[];
}

/** One seed in so many is run two times, and must leave the same trace. */
const TWICE_EVERY = 100;

export function createTally(): Tally {
  return {
    seeds: 0,
    invocations: 0,
    events: 0,
    cpuMs: 0,
    virtualMs: 0,
    faults: new Map(),
    marks: new Map(),
    failures: [],
  };
}

export async function runSeed(seed: number, options: WorldOptions, tally: Tally): Promise<void> {
  const begin = process.threadCpuUsage();
  const scenario = generateScenario(seed);
  const result = await runScenario(scenario, options);
  const { history } = result;
  const violations = [...result.violations];
  const { user, system } = process.threadCpuUsage(begin);
  tally.cpuMs += (user + system) / 1000;
  tally.seeds++;
  tally.invocations += result.invocations;
  tally.events += result.events;
  tally.virtualMs += history.endedAt;
  addAll(tally.faults, history.faults);
  for (const mark of result.marks.keys()) tally.marks.set(mark, (tally.marks.get(mark) ?? 0) + 1);
  if (seed % TWICE_EVERY === 0) {
    const again = await runScenario(scenario, options);
    if (traceHash(again.history) !== traceHash(history)) {
      const message = "two runs of the same scenario left different traces";
      violations.push({ invariant: "determinism", at: 0, mapping: undefined, message });
    }
  }
  if (violations.length > 0) tally.failures.push({ seed, violations });
}

export function addTally(sum: Tally, part: Tally): void {
  sum.seeds += part.seeds;
  sum.invocations += part.invocations;
  sum.events += part.events;
  sum.cpuMs += part.cpuMs;
  sum.virtualMs += part.virtualMs;
  addAll(sum.faults, part.faults);
  addAll(sum.marks, part.marks);
  sum.failures.push(...part.failures);
}

function addAll(sums: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
}
