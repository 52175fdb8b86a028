import type { MappingScenario, Scenario, Workload } from "./scenario.ts";

export interface ShrinkLimits {
  readonly runsMax: number;
  /** Called for every scenario that still fails. */
  progress?(scenario: Scenario, runs: number): void;
}

/**
 * The shortest scenario found that still fails: each step tries to leave something out (faults, rates, processes,
 * records, settings away from their defaults) and keeps what still fails, until nothing more can go.
 */
export async function shrink(
  scenario: Scenario,
  fails: (candidate: Scenario) => Promise<boolean>,
  limits: ShrinkLimits,
): Promise<Scenario> {
  let best = scenario;
  let runs = 0;
  for (let hasShrunk = true; hasShrunk && runs < limits.runsMax; ) {
    hasShrunk = false;
    for (const step of STEPS) {
      for (let index = 0; runs < limits.runsMax; ) {
        const candidates = step(best);
        const candidate = candidates[index];
        if (candidate === undefined) break;
        runs++;
        if (await fails(candidate)) {
          best = candidate;
          hasShrunk = true;
          limits.progress?.(best, runs);
        } else index++;
      }
    }
  }
  return best;
}

const SEEDS_PER_STEP = 10;

type Step = (scenario: Scenario) => readonly Scenario[];

const STEPS: readonly Step[] = [
  (scenario) => withoutItems(scenario.faults).map((faults) => ({ ...scenario, faults })),
  withoutRates,
  (scenario) =>
    scenario.mappings.length < 2
      ? []
      : withoutItems(scenario.mappings).map((mappings) => ({ ...scenario, mappings })),
  (scenario) => scenario.processes.slice(1).map((_, index) => withoutProcess(scenario, index + 1)),
  (scenario) => workloads(scenario, fewerRecords).flatMap(withOtherSeeds),
  (scenario) => workloads(scenario, plainerWorkload),
  (scenario) => mappings(scenario, plainerMapping),
  (scenario) => (scenario.flavour === "isolation" ? [] : earlierEnd(scenario)),
];

/** Halves first, then single items: what is not needed goes in few runs. */
function withoutItems<T>(items: readonly T[]): (readonly T[])[] {
  const shorter: (readonly T[])[] = [];
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < items.length; from += size) {
      const kept = [...items.slice(0, from), ...items.slice(from + size)];
      shorter.push(kept);
    }
  }
  return shorter.filter((kept) => kept.length > 0 || items.length > 0);
}

function withoutProcess(scenario: Scenario, index: number): Scenario {
  return { ...scenario, processes: scenario.processes.toSpliced(index, 1) };
}

function withoutRates(scenario: Scenario): Scenario[] {
  const entries = Object.entries(scenario.rates);
  return withoutItems(entries).map((kept) => ({ ...scenario, rates: Object.fromEntries(kept) }));
}

function mappings(
  scenario: Scenario,
  simplify: (mapping: MappingScenario) => readonly MappingScenario[],
): Scenario[] {
  return scenario.mappings.flatMap((mapping, ordinal) =>
    simplify(mapping).map((simple) => ({ ...scenario, mappings: scenario.mappings.with(ordinal, simple) })),
  );
}

function workloads(scenario: Scenario, simplify: (workload: Workload) => readonly Workload[]): Scenario[] {
  return mappings(scenario, (mapping) =>
    simplify(mapping.workload).map((workload) => ({ ...mapping, workload })),
  );
}

function fewerRecords(workload: Workload): Workload[] {
  return [5, 20, 50, ...[0.3, 0.6, 0.85].map((share) => Math.floor(workload.records * share))]
    .filter((records) => records > 0 && records < workload.records)
    .map((records) => ({ ...workload, records, poison: poisonAmong(workload, records) }));
}

/** Poison keeps its place in relation to the others: a bug that needs some would hold back all records up to it. */
function poisonAmong(workload: Workload, records: number): readonly number[] {
  return [...new Set(workload.poison.map((place) => Math.floor((place * records) / workload.records)))];
}

/**
 * Fewer records shift everything that follows, and the moment that matters is missed: another seed may hit it again.
 * What is kept is the shortest scenario that breaks the same rule, not the same moment.
 */
function withOtherSeeds(scenario: Scenario): Scenario[] {
  return Array.from({ length: SEEDS_PER_STEP }, (_, offset) => ({
    ...scenario,
    seed: scenario.seed + offset,
  }));
}

function plainerWorkload(workload: Workload): Workload[] {
  return changed(workload, [
    { poison: [] },
    { shards: 1 },
    { keys: 1 },
    { keys: 3 },
    { skew: 1 },
    { unwantedShare: 0 },
    { backlogShare: 1 },
    { largeShare: 0 },
    { bytesMax: workload.bytesMin },
  ]);
}

function plainerMapping(plan: MappingScenario): MappingScenario[] {
  const simpler = changed(plan.mapping, [
    { parallelizationFactor: 1 },
    { tumblingWindowMs: 0 },
    { batchingWindowMs: 0 },
    { bisectBatchOnFunctionError: false },
    { reportBatchItemFailures: false },
    { filterPatterns: [] },
    { recordAgeMsMax: undefined },
    { batchSize: 1 },
    { batchSize: 2 },
    { startingPosition: { kind: "TRIM_HORIZON" } },
  ]).map((mapping) => ({ ...plan, mapping }));
  return [...simpler, ...changed(plan, [{ retentionMs: undefined }, { tellsLag: true }, { isTopic: false }])];
}

function earlierEnd(scenario: Scenario): Scenario[] {
  const last = Math.max(1_000, ...scenario.faults.map((fault) => fault.atMs + 1_000));
  return last < scenario.faultsEndMs ? [{ ...scenario, faultsEndMs: last }] : [];
}

/** The changes that change something. */
function changed<T extends object>(value: T, changes: readonly Partial<T>[]): T[] {
  return changes
    .map((change) => ({ ...value, ...change }))
    .filter((candidate) => JSON.stringify(candidate) !== JSON.stringify(value));
}
