import { many } from "./generate-faults.ts";
import { SeededRandom } from "./random.ts";
import type { FaultEvent, MappingScenario, Scenario } from "./scenario.ts";

/**
 * What reality does to streams beyond their ordinary faults, added to some of the swarm seeds: each draws from forks of
 * its own, so that what a seed was before it still is.
 */
export function makeRuder(scenario: Scenario): Scenario {
  if (scenario.flavour !== "swarm" || scenario.mappings.length === 0) return scenario;
  const random = new SeededRandom(scenario.seed).fork("ruder");
  const rude = scenario.mappings.map((plan, ordinal) => makeMappingRuder(scenario, plan, ordinal, random));
  const isResharded = random.fork("resharded before").chance(0.06);
  const isEarly = rude.some(({ endsEarly }) => endsEarly);
  return {
    ...scenario,
    mappings: rude.map(({ plan }) => plan),
    rates: {
      ...scenario.rates,
      ...(isResharded && { "listing omits": 0.3 }),
      ...(isEarly && { "window state oversized": 0.4, "function error": 0.3 }),
    },
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
  /** States of its windows are often too large, and what ends them early is soon given up. */
  readonly endsEarly: boolean;
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
  const endsEarly = plan.mapping.tumblingWindowMs > 0 && fork("early ends").chance(0.25);
  const givenUp = { retryAttemptsMax: 0, onFailureDestination: "simulated" };
  const unmadeShare = damage.chance(0.12) ? damage.pick([0.01, 0.05, 0.3]) : 0;
  return {
    endsEarly,
    plan: {
      ...plan,
      ...(endsEarly && { mapping: { ...plan.mapping, ...givenUp } }),
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

/** What befalls the logs of a stream: it is made anew, or its shards lose their ends. */
function generateLogChanges(
  random: SeededRandom,
  faultsEndMs: number,
  mapping: number,
): readonly FaultEvent[] {
  const changes = Array.from({ length: random.int(1, 3) }, () => {
    const atMs = random.int(500, faultsEndMs);
    return random.chance(0.5) ? remaking(random, atMs, mapping) : losing(random, atMs, mapping);
  });
  return changes.flat();
}

/** Often with other parents than its shards had: it is split as soon as it is there. */
function remaking(random: SeededRandom, atMs: number, mapping: number): readonly FaultEvent[] {
  const awayMs = random.chance(0.5) ? 0 : random.int(1, 3_000);
  const isLower = random.chance(0.7);
  const isSplit = random.chance(0.5);
  const shards = random.int(1, isSplit ? 2 : 4);
  const made = { kind: "remake", atMs, mapping, awayMs, shards, isLower } as const;
  if (!isSplit) return [made];
  const split = () => ({ kind: "split", mapping, shard: random.int(0, 3) }) as const;
  const splitMs = atMs + awayMs + random.int(20, 800);
  return [made, { ...split(), atMs: splitMs }, { ...split(), atMs: splitMs + random.int(0, 800) }];
}

/** Often while nobody reads, and where more is settled than the mark says. */
function losing(random: SeededRandom, atMs: number, mapping: number): readonly FaultEvent[] {
  const isUnseen = random.chance(0.5);
  const shard = random.int(0, 7);
  const lost = { kind: "lose end", atMs, mapping, shard, share: random.between(0.3, 1) } as const;
  if (!isUnseen) return [lost];
  const before = (ms: number) => Math.max(0, atMs - ms);
  return [
    { kind: "crash", atMs: before(random.int(1, 400)), process: 0, restartAfterMs: random.int(0, 1_000) },
    { kind: "crash", atMs: before(random.int(1, 400)), process: 1, restartAfterMs: random.int(0, 1_000) },
    { ...lost, isAtMark: true },
  ];
}

/** Retention is raised, lowered and taken away while the stream is read. */
function generateRetentions(
  random: SeededRandom,
  faultsEndMs: number,
  mapping: number,
): readonly FaultEvent[] {
  return many(random, 3, () => ({
    kind: "retention",
    atMs: random.int(0, faultsEndMs),
    mapping,
    retentionMs: random.chance(0.3) ? null : random.int(2_000, 20_000),
  }));
}
