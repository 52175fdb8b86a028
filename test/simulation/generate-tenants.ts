import { SeededRandom } from "./random.ts";
import type { QueueScenario, Scenario } from "./scenario.ts";

const SHARE = 0.2;

/** Fair lanes over the groups of some queues without order: whatever fails, they lose and repeat nothing. */
export function withTenants(scenario: Scenario): Scenario {
  if (scenario.queues === undefined) return scenario;
  const random = new SeededRandom(scenario.seed).fork("tenants");
  return {
    ...scenario,
    queues: scenario.queues.map((plan, ordinal) => fair(random.fork(`${ordinal}`), plan)),
  };
}

function fair(random: SeededRandom, plan: QueueScenario): QueueScenario {
  if (plan.isFifo || !random.chance(SHARE)) return plan;
  const weights = random.chance(0.5) ? { "key-0": random.int(1, 5) } : {};
  // With a window whose turn it is would wait for its own: what the judge of windows knows is the oldest of all.
  const batchPerTenant = random.chance(0.3) && plan.mapping.batchingWindowMs === 0;
  const tenant = { by: "/group", weights, batchPerTenant };
  return { ...plan, mapping: { ...plan.mapping, tenant } };
}
