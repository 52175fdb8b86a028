import { SeededRandom } from "./random.ts";
import type { MappingScenario, QueueScenario, Scenario, WeightChange } from "./scenario.ts";

/** Functions whose alias brings new versions in, or has weights from the beginning: some mappings of swarm seeds. */
export function withWeights(scenario: Scenario): Scenario {
  if (scenario.flavour !== "swarm") return scenario;
  const random = new SeededRandom(scenario.seed).fork("weights");
  const weightsOf = (label: string, share: number) => {
    const own = random.fork(label);
    return own.chance(share) ? generateChanges(own, scenario.faultsEndMs) : undefined;
  };
  const weighted = <T extends MappingScenario | QueueScenario>(
    plan: T,
    weights: WeightChange[] | undefined,
  ) =>
    weights === undefined
      ? plan
      : { ...plan, weights, mapping: { ...plan.mapping, functionArn: `${plan.mapping.functionArn}:live` } };
  const queues = scenario.queues?.map((plan, ordinal) => weighted(plan, weightsOf(`queue ${ordinal}`, 0.3)));
  return {
    ...scenario,
    mappings: scenario.mappings.map((plan, ordinal) => weighted(plan, weightsOf(`mapping ${ordinal}`, 0.25))),
    ...(queues === undefined ? {} : { queues }),
  };
}

/** One rollout after the other: each takes steps, and ends with all traffic or goes back. */
function generateChanges(random: SeededRandom, untilMs: number): WeightChange[] {
  const changes: WeightChange[] = [];
  let atMs = random.chance(0.3) ? 0 : random.int(200, 3_000);
  let [from, next] = [1, 2];
  while (atMs < untilMs) {
    const to = next++;
    const steps = random.pick([[0.1, 1], [0.5, 1], [0.2, 0.4, 0.6, 0.8, 1], [0.3, 0.7, 1], [0.05]]);
    const taken = random.chance(0.4) ? random.int(1, steps.length) : steps.length;
    for (const weight of steps.slice(0, taken)) {
      changes.push({ atMs, from, to, weight });
      atMs += random.pick([200, 1_000, 2_500, 6_000]);
    }
    if (changes.at(-1)?.weight === 1) from = to;
    else changes.push({ atMs, from, to, weight: 0 });
    atMs += random.pick([0, 500, 3_000]);
  }
  return changes.filter((change) => change.atMs < untilMs);
}
