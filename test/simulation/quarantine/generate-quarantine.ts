import type { ParkedKeySettings } from "../../../src/model/mapping.ts";
import { generateScenario } from "../generate-scenario.ts";
import { SeededRandom } from "../random.ts";
import type { MappingScenario, Scenario } from "../scenario.ts";

/** A seed of its own has as many scenarios to choose from. */
const CHOICE = 1_000;
/** Scenarios with longer faults are about standstills. */
const FAULTS_MS_MAX = 60_000;

/** Mappings of streams whose keys are parked, under all that may go wrong with them. */
export function generateQuarantine(seed: number): Scenario {
  for (let draw = 0; draw < CHOICE; draw++) {
    const scenario = generateScenario(seed * CHOICE + draw);
    if (isFit(scenario)) return parking(scenario, new SeededRandom(seed).fork("quarantine"));
  }
  throw new RangeError(`no scenario of seed ${seed} has a stream alone`);
}

/** Windows have a state that would skip records. What is made anew under its name has a world of its own. */
function isFit({ flavour, mappings, queues = [], faults, faultsEndMs }: Scenario): boolean {
  return (
    flavour === "swarm" &&
    queues.length === 0 &&
    faultsEndMs < FAULTS_MS_MAX &&
    mappings.every(({ mapping, tellsLogs }) => mapping.tumblingWindowMs === 0 && tellsLogs !== true) &&
    faults.every(({ kind }) => kind !== "remake" && kind !== "lose end" && kind !== "window update")
  );
}

function parking(scenario: Scenario, random: SeededRandom): Scenario {
  return {
    ...scenario,
    mappings: scenario.mappings.map((plan, ordinal) =>
      parkingMapping(plan, random.fork(`mapping ${ordinal}`)),
    ),
  };
}

function parkingMapping(plan: MappingScenario, random: SeededRandom): MappingScenario {
  const { mapping, workload, fn } = plan;
  const poison = Array.from({ length: random.int(1, 6) }, () => random.int(0, workload.records - 1));
  const { weights: _weights, ...unweighted } = plan;
  return {
    ...unweighted,
    mapping: { ...mapping, retryAttemptsMax: random.int(0, 2), parkedKeys: settingsOf(random) },
    workload: {
      ...workload,
      keys: random.pick([3, 10, 10, 50]),
      poison,
      poisoned: random.chance(0.15) ? "everything" : "nothing",
    },
    fn: { ...fn, poisonHeals: true },
  };
}

function settingsOf(random: SeededRandom): ParkedKeySettings {
  const isWide = random.chance(0.6);
  return {
    bounds: {
      keysMax: isWide ? 1_000 : random.int(1, 3),
      recordsMax: isWide ? 100_000 : random.int(1, 40),
      bytesMax: isWide ? 100_000_000 : random.int(200, 20_000),
    },
    whenFull: random.chance(0.7) ? "block" : "destination",
  };
}
