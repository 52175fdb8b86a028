import { generateLogChanges, generateRetentions } from "./generate-faults.ts";
import { SeededRandom } from "./random.ts";
import type { FaultEvent, MappingScenario, Scenario } from "./scenario.ts";

/**
 * What reality does to streams beyond their ordinary faults, added to some of the swarm seeds: each draws from forks of its
 * own, so that what a seed was before it still is.
 */
export function makeRuder(scenario: Scenario): Scenario {
  if (scenario.flavour !== "swarm" || scenario.mappings.length === 0) return scenario;
  const random = new SeededRandom(scenario.seed).fork("ruder");
  const rude = scenario.mappings.map((plan, ordinal) => makeMappingRuder(scenario, plan, ordinal, random));
  const isResharded = random.fork("resharded before").chance(0.06);
  return {
    ...scenario,
    mappings: rude.map(({ plan }) => plan),
    rates: isResharded ? { ...scenario.rates, "listing omits": 0.3 } : scenario.rates,
    faults: [
      ...scenario.faults,
      ...rude.flatMap(({ faults }) => faults),
      ...(isResharded ? reshardedBefore(random.fork("splits"), scenario.mappings.length) : []),
    ].sort((a, b) => a.atMs - b.atMs),
  };
}

interface RudeMapping {
  readonly plan: MappingScenario;
  readonly faults: readonly FaultEvent[];
}

function makeMappingRuder(
  { faultsEndMs }: Scenario,
  plan: MappingScenario,
  ordinal: number,
  random: SeededRandom,
): RudeMapping {
  const fork = (label: string) => random.fork(`${label} ${ordinal}`);
  const logs = fork("logs");
  const places = fork("places");
  const damage = fork("damage");
  const retention = fork("retention");
  const tellsLogs = logs.chance(0.15);
  const placesShare = places.chance(0.12) ? places.pick([0.05, 0.3, 1]) : 0;
  const unmadeShare = damage.chance(0.12) ? damage.pick([0.01, 0.05, 0.3]) : 0;
  return {
    plan: {
      ...plan,
      ...(tellsLogs && { tellsLogs }),
      ...(placesShare > 0 && { placesShare }),
      ...(unmadeShare > 0 && { workload: { ...plan.workload, unmadeShare } }),
    },
    faults: [
      ...(tellsLogs ? generateLogChanges(logs, faultsEndMs, ordinal) : []),
      ...(retention.chance(0.08) ? generateRetentions(retention, faultsEndMs, ordinal) : []),
    ],
  };
}

/** Shards that are parents before anybody lists them, with a backlog: a first listing may leave them out. */
function reshardedBefore(random: SeededRandom, mappings: number): readonly FaultEvent[] {
  return Array.from({ length: random.int(1, 3) }, () => ({
    kind: random.chance(0.7) ? "split" : "merge",
    atMs: random.int(0, 2),
    mapping: random.int(0, mappings - 1),
    shard: random.int(0, 3),
  }));
}
