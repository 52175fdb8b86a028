import type { EngineSettings } from "../../src/engine/settings.ts";
import type { StreamMapping } from "../../src/model/mapping.ts";
import {
  clockOffset,
  generateFaults,
  generateLongOutage,
  generateLongPauses,
  generateQueueChanges,
  generateRates,
  generateWindowUpdates,
} from "./generate-faults.ts";
import { generateQueue } from "./generate-queue.ts";
import { makeRuder } from "./generate-rudeness.ts";
import { withTenants } from "./generate-tenants.ts";
import { withWeights } from "./generate-weights.ts";
import { SeededRandom } from "./random.ts";
import type {
  Flavour,
  MappingScenario,
  ProcessScenario,
  QueueScenario,
  Scenario,
  Workload,
} from "./scenario.ts";
import { FILTER_PATTERN } from "./world/events.ts";
import { QUEUE_FAULT_KINDS, STREAM_FAULT_KINDS } from "./world/fault-desk.ts";
import type { FunctionScenario } from "./world/function-plan.ts";
import { WINDOW_STATE_BYTES } from "./world/responses.ts";
import { SIM_STREAM_ARN } from "./world/source.ts";
import { EPOCH_MS } from "./world/stream.ts";

/** What the leases' margin has to cover. */
export const DRIFT_MAX = 0.001;
/** Payload limit of scenarios with records near and above it: small, so that they cost no memory. */
const LARGE_PAYLOAD_BYTES = 6_000;

/** Queues that are slow, with few batches at once: holds must be kept where nothing fails. */
const TIRED_SHARES: Readonly<Record<Flavour, number>> = {
  swarm: 0.15,
  calm: 0.4,
  graceful: 0.3,
  poison: 0,
  isolation: 0,
};

const BEHIND_LONG_OUTAGES_MS = 60_000;

/** A scenario from a seed: each draws its own subset of settings and faults, so that rare combinations occur. */
export function generateScenario(seed: number): Scenario {
  return withTenants(withWeights(makeRuder(generateOrdinary(seed))));
}

function generateOrdinary(seed: number): Scenario {
  const random = new SeededRandom(seed).fork("scenario");
  const cast = pickCast(random.fork("cast"));
  const flavour = pickFlavour(random.fork("flavour"), cast);
  const isLarge = flavour === "swarm" && random.chance(0.06);
  const faultsEndMs = random.int(6_000, 18_000);
  const mappingCount = flavour === "isolation" || random.chance(0.2) ? 2 : 1;
  const settings = generateSettings(random.fork("settings"), flavour, isLarge);
  const isTired = cast !== "streams" && random.fork("tired").chance(TIRED_SHARES[flavour]);
  const isCrowded = cast === "queues" && flavour === "swarm" && random.fork("crowded").chance(0.15);
  const drafts = Array.from({ length: mappingCount }, (_, ordinal) => {
    const isSick = flavour === "isolation" && ordinal === 0;
    return { ordinal, flavour, isLarge, isSick, isTired, isCrowded, faultsEndMs, mappingCount, settings };
  });
  const mappings =
    cast === "queues"
      ? []
      : drafts.map((draft) => generateMapping(random.fork(`mapping ${draft.ordinal}`), draft));
  const queues = generateQueues(random, cast, drafts);
  const processes = generateProcesses(random.fork(isCrowded ? "crowd" : "processes"), flavour, isCrowded);
  const swarm = random.fork("faults");
  const kinds = [
    ...(cast === "queues" ? [] : STREAM_FAULT_KINDS),
    ...(cast === "streams" ? [] : QUEUE_FAULT_KINDS),
  ];
  const extra = {
    ...(isTired && { "extension failed": 0.4, "extension failed in part": 0.3 }),
    ...(cast !== "streams" && random.fork("ended holds").chance(0.25) && { "hold ended by the queue": 0.3 }),
    ...(cast !== "streams" && random.fork("partial").chance(0.3) && { "partial failure of a queue": 0.3 }),
  };
  const longOutage = generateLongOutage(random.fork("long outage"), flavour);
  return {
    seed,
    flavour,
    mappings,
    queues,
    settings,
    processes,
    rates: flavour === "swarm" ? { ...generateRates(swarm.fork("rates"), new Set(kinds)), ...extra } : {},
    faults: [
      ...generateFaults(swarm, flavour, faultsEndMs, mappings.length),
      ...generateWindowUpdates(
        random.fork("window updates"),
        flavour,
        faultsEndMs,
        mappings.map(({ mapping }) => mapping.tumblingWindowMs),
      ),
      ...longOutage,
      ...(isCrowded ? generateLongPauses(random.fork("long pauses"), faultsEndMs, settings) : []),
      ...generateQueueChanges(random.fork("queue changes"), flavour, faultsEndMs, queues),
    ],
    faultsEndMs: longOutage.length === 0 ? faultsEndMs : BEHIND_LONG_OUTAGES_MS,
    healWithinMs: 300_000,
    drainMs: random.pick([0, 500, 5_000, 30_000]),
  };
}

/** Which mappings a seed has. */
type Cast = "streams" | "queues" | "both";

function pickCast(random: SeededRandom): Cast {
  const draw = random.next();
  if (draw < 0.3) return "queues";
  return draw < 0.35 ? "both" : "streams";
}

function generateQueues(random: SeededRandom, cast: Cast, drafts: readonly MappingDraft[]): QueueScenario[] {
  const fork = (ordinal: number) => random.fork(`queue ${ordinal}`);
  if (cast === "queues") return drafts.map((draft) => generateQueue(fork(draft.ordinal), draft));
  const [draft] = drafts;
  if (cast === "streams" || draft === undefined) return [];
  // Beside a stream that may be sick a queue is healthy.
  return [generateQueue(fork(0), { ...draft, isSick: false, mappingCount: draft.mappingCount + 1 })];
}

function pickFlavour(random: SeededRandom, cast: Cast): Flavour {
  const draw = random.next();
  if (draw < 0.05) return "calm";
  if (draw < 0.13) return "graceful";
  // Poison is told apart by bisecting, which queues have not.
  if (draw < 0.22) return cast === "queues" ? "swarm" : "poison";
  if (draw < 0.27) return "isolation";
  return "swarm";
}

interface MappingDraft {
  readonly ordinal: number;
  readonly flavour: Flavour;
  readonly isLarge: boolean;
  readonly isSick: boolean;
  readonly isTired: boolean;
  readonly isCrowded: boolean;
  readonly faultsEndMs: number;
  readonly mappingCount: number;
  readonly settings: EngineSettings;
}

function generateMapping(random: SeededRandom, draft: MappingDraft): MappingScenario {
  const mapping = generateStreamMapping(random.fork("mapping"), draft);
  const shape = random.fork("source");
  const canExpire = draft.flavour === "swarm" && shape.chance(0.15);
  const workload = generateWorkload(random.fork("workload"), draft, mapping);
  const fn: FunctionScenario = {
    timeoutMs: random.int(400, 4_000),
    concurrency: draft.flavour === "isolation" || random.chance(0.8) ? 1_000 : random.int(1, 4),
    latencyMinMs: random.int(0, 10),
    latencyMaxMs: 10 + (draft.flavour === "isolation" ? 1 : random.pick([1, 10, 50, 200])),
    poisonReports: random.chance(0.5),
    poisonHeals: !givesUp(mapping, workload),
    ...generateFront(random.fork("front"), draft.flavour),
  };
  return {
    mapping,
    fn,
    workload,
    retentionMs: canExpire ? shape.int(8_000, 20_000) : undefined,
    readIntervalMs: Math.min(shape.pick([20, 100, 200, 500]), readIntervalMax(workload, draft.settings)),
    tellsLag: shape.chance(0.8),
    isTopic: mapping.tumblingWindowMs === 0 && random.fork("topic").chance(0.3),
  };
}

/** All that fails for ever comes to an end by the mapping's policy. A record whose arrival nobody knows has no age. */
function givesUp({ retryAttemptsMax, recordAgeMsMax }: StreamMapping, { timelessShare }: Workload): boolean {
  if (retryAttemptsMax !== undefined) return true;
  return recordAgeMsMax !== undefined && (timelessShare ?? 0) === 0;
}

function generateFront(random: SeededRandom, flavour: Flavour): Pick<FunctionScenario, "frontBytesMax"> {
  if (flavour !== "swarm" || random.chance(0.9)) return {};
  return { frontBytesMax: random.int(200, 6_000) };
}

/** All records can be read from one shard within some part of the time that the healed world is given. */
function readIntervalMax(workload: Workload, settings: EngineSettings): number {
  const recordBytes = Math.max(workload.bytesMax, workload.largeShare > 0 ? workload.largeBytesMax : 0);
  const bytes = Math.min(settings.readBytes, settings.mappingBudgetBytes, settings.processBudgetBytes);
  const perRead = Math.max(
    1,
    Math.min(settings.readRecords, settings.shardWindowRecords, bytes / recordBytes),
  );
  return Math.max(5, Math.round((60_000 * perRead) / workload.records));
}

function generateStreamMapping(random: SeededRandom, draft: MappingDraft): StreamMapping {
  const { flavour, ordinal } = draft;
  const isPoison = flavour === "poison";
  const isPatient = flavour === "isolation";
  const isCalm = flavour === "calm" || flavour === "graceful";
  const hasWindows = !isPoison && !isPatient && random.chance(0.12);
  const factor = hasWindows || random.chance(0.4) ? 1 : random.int(2, 10);
  return {
    uuid: `00000000-0000-4000-8000-00000000000${ordinal}`,
    name: `mapping-${ordinal}`,
    functionName: `function-${ordinal}`,
    functionArn: `arn:aws:lambda:eu-west-1:123456789012:function:function-${ordinal}`,
    eventSourceArn: SIM_STREAM_ARN,
    enabled: true,
    startingPosition: generateStart(random.fork("start"), isPoison || isPatient),
    batchSize: isPoison ? random.int(2, 50) : random.pick([1, 2, random.int(3, 10), random.int(10, 50)]),
    batchingWindowMs: random.chance(0.7) ? 0 : random.int(50, isPatient ? 500 : 2_000),
    parallelizationFactor: isPatient ? random.int(4, 10) : factor,
    retryAttemptsMax:
      isPatient || (!isPoison && !draft.isLarge && random.chance(0.35)) ? undefined : random.int(0, 4),
    recordAgeMsMax:
      isPoison || isPatient || isCalm || random.chance(0.8) ? undefined : random.int(2_000, 15_000),
    bisectBatchOnFunctionError: isPoison || random.chance(0.5),
    reportBatchItemFailures: !isPoison && random.chance(0.4),
    tumblingWindowMs: hasWindows ? random.pick([1_000, 2_000, 5_000]) : 0,
    filterPatterns: !hasWindows && random.chance(0.3) ? [FILTER_PATTERN] : [],
    onFailureDestination: isPoison || random.chance(0.6) ? "simulated" : undefined,
  };
}

function generateStart(random: SeededRandom, isPlain: boolean): StreamMapping["startingPosition"] {
  if (isPlain || random.chance(0.8)) return { kind: "TRIM_HORIZON" };
  if (random.chance(0.5)) return { kind: "LATEST" };
  return { kind: "AT_TIMESTAMP", epochMs: EPOCH_MS + random.int(0, 3_000) };
}

function generateWorkload(random: SeededRandom, draft: MappingDraft, mapping: StreamMapping): Workload {
  const { flavour, isLarge } = draft;
  const invocations = random.int(150, 1_100) / draft.mappingCount;
  const fill = random.chance(0.5) ? Math.min(mapping.batchSize, 6) : 1.5;
  const records = Math.round(invocations * fill);
  const poisonCount = flavour === "poison" ? random.int(1, 4) : random.chance(0.3) ? random.int(1, 4) : 0;
  const isQuiet = flavour === "calm" || flavour === "graceful" || flavour === "isolation" || isLarge;
  const poison: number[] = [];
  if (!isQuiet) for (let index = 0; index < poisonCount; index++) poison.push(random.int(0, records - 1));
  const small = random.chance(0.5) ? 60 : 2_000;
  return {
    shards: random.int(1, 4),
    keys: flavour === "isolation" ? random.int(40, 80) : random.pick([1, 3, 10, 50, 200]),
    skew: flavour === "isolation" ? 1 : random.pick([1, 1, 2, 4]),
    records,
    backlogShare: random.pick([0, 0.2, 0.5, 1]),
    arrivalsEndMs: Math.round(draft.faultsEndMs * (flavour === "isolation" ? 0.4 : random.between(0.4, 1.1))),
    bytesMin: 50,
    bytesMax: 50 + small,
    largeShare: isLarge ? 0.2 : 0,
    largeBytesMin: Math.round(LARGE_PAYLOAD_BYTES / 5),
    largeBytesMax: Math.round(LARGE_PAYLOAD_BYTES * 1.1),
    timelessShare: flavour === "swarm" && random.chance(0.15) ? random.pick([0.05, 0.5]) : 0,
    unwantedShare: mapping.filterPatterns.length === 0 ? 0 : random.pick([0.1, 0.5, 0.9, 1]),
    poison,
    poisoned: draft.isSick ? random.pick(["everything", "shard", "key"]) : "nothing",
  };
}

function generateProcesses(random: SeededRandom, flavour: Flavour, isCrowded: boolean): ProcessScenario[] {
  const count = isCrowded ? 4 : flavour === "isolation" ? 1 : random.pick([1, 1, 2, 2, 3, 4]);
  const processes: ProcessScenario[] = [];
  for (let ordinal = 0; ordinal < count; ordinal++) {
    processes.push({
      startMs: ordinal === 0 ? 0 : random.int(0, 2_000),
      wallOffsetMs: random.chance(0.3) ? clockOffset(random) : 0,
      rate: random.chance(0.3) ? 1 + random.between(-DRIFT_MAX, DRIFT_MAX) : 1,
    });
  }
  return processes;
}

function generateSettings(random: SeededRandom, flavour: Flavour, isLarge: boolean): EngineSettings {
  const isTight = flavour !== "isolation" && random.chance(0.3);
  const leaseMs = random.int(2_000, 5_000);
  const mappingBudgetBytes = isTight ? random.int(4_000, 30_000) : 10_000_000;
  return {
    shardWindowRecords: flavour === "isolation" ? 20_000 : random.pick([20, 100, 500, 5_000]),
    mappingBudgetBytes,
    processBudgetBytes: random.chance(0.5) ? mappingBudgetBytes : 2 * mappingBudgetBytes,
    readRecords: flavour === "isolation" ? 500 : random.pick([10, 50, 500]),
    readBytes: isTight ? random.int(1_000, 5_000) : 1_000_000,
    checkpointIntervalMs: random.pick([0, 50, 200, 1_000]),
    discoveryIntervalMs: random.int(500, 3_000),
    leaseDurationMs: leaseMs,
    leaseRenewalMs: Math.min(Math.round(leaseMs / random.between(3, 6)), Math.ceil(leaseMs / 3) - 1),
    backoffBaseMs: random.pick([20, 100, 200]),
    backoffCapMs: random.pick([300, 1_000, 3_000]),
    expiryCheckMs: 2_000,
    secondAnswerMs: 300,
    windowIdleCloseMs: random.int(300, 2_000),
    // Where nothing fails a hand-over must be able to wait for what runs.
    handoverDrainMs: flavour === "swarm" ? random.int(100, 5_000) : 5_000,
    payloadBytesMax: isLarge ? LARGE_PAYLOAD_BYTES : 6_000_000,
    windowStateBytesMax: WINDOW_STATE_BYTES,
    concurrentReads: random.chance(0.8) ? 64 : random.int(1, 3),
  };
}
