import type { EngineSettings } from "../../src/engine/settings.ts";
import type { SeededRandom } from "./random.ts";
import type { FaultEvent, Flavour, QueueScenario } from "./scenario.ts";
import type { FaultKind, FaultRates } from "./world/fault-desk.ts";

/** Swarm testing: each seed enables a random subset of the fault kinds, each with a rate of its own. */
export function generateRates(random: SeededRandom, kinds: Iterable<FaultKind>): FaultRates {
  const share = random.pick([0.1, 0.3, 0.6]);
  const rates: Partial<Record<FaultKind, number>> = {};
  for (const kind of kinds) {
    if (random.chance(share)) rates[kind] = random.pick([0.01, 0.03, 0.1, 0.3]) * severity(kind);
  }
  return rates;
}

/** Faults that cost much virtual time, or end most batches, come less often: otherwise little else would happen. */
function severity(kind: FaultKind): number {
  switch (kind) {
    case "function hung":
    case "function slow":
    case "function timed out":
    case "read timed out":
    case "receive hung":
    case "receive reply lost":
    case "receive abandoned":
    case "window state oversized":
      return 0.2;
    // Every timer rolls for it: a few in a hundred of some thousand are many.
    case "timer late":
      return 0.2;
    case "store slow":
    case "store applied late":
    case "destination slow":
    case "settlement slow":
    case "extension slow":
    case "message duplicated":
      return 0.5;
    // Only FIFO queues with partial responses and several messages of a group in a batch show what it does.
    case "partial failure of a queue":
      return 2;
    default:
      return 1;
  }
}

export function generateFaults(
  random: SeededRandom,
  flavour: Flavour,
  faultsEndMs: number,
  mappings: number,
): FaultEvent[] {
  switch (flavour) {
    case "calm":
    case "isolation":
      return [];
    case "poison":
      return random.chance(0.3) ? reshards(random.fork("reshards"), faultsEndMs, mappings) : [];
    case "graceful":
      return [
        ...reshards(random.fork("reshards"), faultsEndMs, mappings),
        ...comings(random.fork("comings"), faultsEndMs),
      ].sort(byTime);
    case "swarm":
      return swarmEvents(random, faultsEndMs, mappings).sort(byTime);
  }
}

function swarmEvents(random: SeededRandom, faultsEndMs: number, mappings: number): FaultEvent[] {
  const events: FaultEvent[] = [];
  if (random.chance(0.4)) events.push(...reshards(random.fork("reshards"), faultsEndMs, mappings));
  if (random.chance(0.4)) events.push(...comings(random.fork("comings"), faultsEndMs));
  if (random.chance(0.4)) events.push(...crashes(random.fork("crashes"), faultsEndMs));
  if (random.chance(0.3)) events.push(...pauses(random.fork("pauses"), faultsEndMs));
  if (random.chance(0.3)) events.push(...outages(random.fork("outages"), faultsEndMs));
  if (random.chance(0.15)) events.push(...trims(random.fork("trims"), faultsEndMs, mappings));
  if (random.fork("checkpoints").chance(0.1)) {
    events.push(...checkpointOutages(random.fork("checkpoint outages"), faultsEndMs));
  }
  return events;
}

/** Updates of mappings with tumbling windows: another length, switched off, or on again. */
export function generateWindowUpdates(
  random: SeededRandom,
  flavour: Flavour,
  faultsEndMs: number,
  lengths: readonly number[],
): FaultEvent[] {
  if (flavour !== "swarm" && flavour !== "graceful") return [];
  return lengths.flatMap((lengthMs, mapping) => {
    if (lengthMs === 0 || !random.chance(0.5)) return [];
    return many(random, 3, () => ({
      kind: "window update",
      atMs: random.int(100, faultsEndMs),
      mapping,
      lengthMs: random.pick([0, 1_000, 2_000, 5_000, 10_000]),
    }));
  });
}

/** Updates of queue mappings, of which some begin again late, or not in time; and queues whose owners change them. */
export function generateQueueChanges(
  random: SeededRandom,
  flavour: Flavour,
  faultsEndMs: number,
  queues: readonly QueueScenario[],
): FaultEvent[] {
  if (flavour !== "swarm") return [];
  return queues.flatMap(({ mapping, fn }, queue) => {
    const updates = random.fork(`updates ${queue}`);
    const changes = random.fork(`changes ${queue}`);
    return [
      ...(updates.chance(0.4) ? queueUpdates(updates, faultsEndMs, queue, mapping.batchSize) : []),
      ...(changes.chance(0.2) ? visibilityChanges(changes, faultsEndMs, queue, fn.timeoutMs) : []),
    ];
  });
}

function queueUpdates(
  random: SeededRandom,
  faultsEndMs: number,
  queue: number,
  batchSizeMax: number,
): FaultEvent[] {
  const gaps = [() => 0, () => random.int(0, 1_000), () => random.int(1_000, 12_000), () => 65_000];
  return many(random, 3, () => ({
    kind: "queue update",
    atMs: random.int(100, faultsEndMs),
    queue,
    gapMs: random.pick(gaps)(),
    batchSize: random.int(1, batchSizeMax),
  }));
}

function visibilityChanges(
  random: SeededRandom,
  faultsEndMs: number,
  queue: number,
  timeoutMs: number,
): FaultEvent[] {
  return many(random, 2, () => ({
    kind: "queue change",
    atMs: random.int(100, faultsEndMs),
    queue,
    visibilityMs: random.chance(0.3) ? random.int(0, timeoutMs) : timeoutMs + random.int(0, 6_000),
  }));
}

function reshards(random: SeededRandom, faultsEndMs: number, mappings: number): FaultEvent[] {
  if (mappings === 0) return [];
  return many(random, 4, () => ({
    kind: random.chance(0.6) ? "split" : "merge",
    atMs: random.int(0, faultsEndMs),
    mapping: random.int(0, mappings - 1),
    shard: random.int(0, 7),
  }));
}

function comings(random: SeededRandom, faultsEndMs: number): FaultEvent[] {
  return many(random, 3, () => {
    const atMs = random.int(500, faultsEndMs);
    if (random.chance(0.5)) return { kind: "join", atMs, wallOffsetMs: clockOffset(random), rate: 1 };
    const restartAfterMs = random.chance(0.7) ? random.int(0, 3_000) : null;
    return { kind: "stop", atMs, process: random.int(0, 3), restartAfterMs };
  });
}

function crashes(random: SeededRandom, faultsEndMs: number): FaultEvent[] {
  return many(random, 4, () => {
    const atMs = random.int(100, faultsEndMs);
    const process = random.int(0, 3);
    const restartAfterMs = random.chance(0.85) ? random.int(0, 4_000) : null;
    if (random.chance(0.4)) return { kind: "crash", atMs, process, restartAfterMs };
    return { kind: "crash at call", atMs, process, call: random.int(1, 60), restartAfterMs };
  });
}

function pauses(random: SeededRandom, faultsEndMs: number): FaultEvent[] {
  return many(random, 3, () => {
    const atMs = random.int(100, faultsEndMs);
    const process = random.int(0, 3);
    if (random.chance(0.3)) return { kind: "clock jump", atMs, process, byMs: clockOffset(random) };
    const durationMs = random.chance(0.5) ? random.int(20, 1_500) : random.int(1_500, 9_000);
    return { kind: "pause", atMs, process, durationMs };
  });
}

/**
 * Longer than a lease lasts: what a process has in hand it may still hold when it goes on, and its places it has not.
 */
export function generateLongPauses(
  random: SeededRandom,
  faultsEndMs: number,
  { leaseDurationMs }: EngineSettings,
): FaultEvent[] {
  return Array.from({ length: random.int(2, 6) }, () => ({
    kind: "pause",
    atMs: random.int(500, faultsEndMs),
    process: random.int(0, 3),
    durationMs: Math.round(leaseDurationMs * random.between(1.1, 2)),
  }));
}

const HOURS_MS = 30 * 3_600_000;

/** Mostly some seconds; now and then, as hosts have it, hours or a day. */
export function clockOffset(random: SeededRandom): number {
  return random.chance(0.3) ? random.int(-HOURS_MS, HOURS_MS) : random.int(-3_000, 3_000);
}

function outages(random: SeededRandom, faultsEndMs: number): FaultEvent[] {
  return many(random, 3, () => ({
    kind: "outage",
    atMs: random.int(0, faultsEndMs),
    component: random.pick(["source", "function", "store", "destination"] as const),
    durationMs: random.int(100, 8_000),
  }));
}

/** Longer than a part may stand still without a word: whoever waits for it has to say so (S1). */
export function generateLongOutage(random: SeededRandom, flavour: Flavour): readonly FaultEvent[] {
  if (flavour !== "swarm" || !random.chance(0.02)) return [];
  return [
    {
      kind: "outage",
      atMs: random.int(500, 5_000),
      component: random.pick(["source", "function", "destination", "checkpoints"]),
      durationMs: random.int(40_000, 50_000),
    },
  ];
}

/** Longer than a lease lasts, mostly: what is done meanwhile must not grow without a bound. */
function checkpointOutages(random: SeededRandom, faultsEndMs: number): FaultEvent[] {
  return many(random, 2, () => ({
    kind: "outage",
    atMs: random.int(0, faultsEndMs),
    component: "checkpoints",
    durationMs: random.int(1_000, 15_000),
  }));
}

function trims(random: SeededRandom, faultsEndMs: number, mappings: number): FaultEvent[] {
  if (mappings === 0) return [];
  return many(random, 2, () => ({
    kind: "trim",
    atMs: random.int(0, faultsEndMs),
    mapping: random.int(0, mappings - 1),
    shard: random.int(0, 3),
    share: random.between(0.1, 1),
  }));
}

export function many(random: SeededRandom, max: number, draw: () => FaultEvent): FaultEvent[] {
  return Array.from({ length: random.int(1, max) }, draw);
}

function byTime(a: FaultEvent, b: FaultEvent): number {
  return a.atMs - b.atMs;
}
