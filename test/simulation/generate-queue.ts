import type { EngineSettings } from "../../src/engine/settings.ts";
import type { QueueMapping } from "../../src/model/mapping.ts";
import type { SeededRandom } from "./random.ts";
import type { Flavour, QueueScenario, QueueWorkload } from "./scenario.ts";
import type { FunctionScenario } from "./world/function-plan.ts";
import { QUEUE_FILTER_PATTERN } from "./world/queue-events.ts";
import { SIM_QUEUE_ARN } from "./world/queue-source.ts";

export interface QueueDraft {
  readonly ordinal: number;
  readonly flavour: Flavour;
  readonly isLarge: boolean;
  readonly isSick: boolean;
  /** Slow, few at once, with trouble to keep holds: messages wait, and lose their holds. */
  readonly isTired: boolean;
  /** More processes than places of the mapping's maximum, and holds that outlast a lease. */
  readonly isCrowded: boolean;
  readonly faultsEndMs: number;
  /** Mappings of the scenario, of streams too: more of them share the work of a seed. */
  readonly mappingCount: number;
  readonly settings: EngineSettings;
}

/** A queue with its mapping, function and messages. */
export function generateQueue(random: SeededRandom, draft: QueueDraft): QueueScenario {
  const queue = generateUsualQueue(random, draft);
  if (draft.isSick) return withSlowPoison(random.fork("slow poison"), queue);
  return draft.isCrowded ? crowded(random.fork("crowded"), queue) : queue;
}

/** What fails for ever takes its time to: whoever waits for its group waits long. */
function withSlowPoison(random: SeededRandom, queue: QueueScenario): QueueScenario {
  if (!queue.isFifo || queue.workload.poisoned !== "group" || random.chance(0.3)) return queue;
  return { ...queue, fn: { ...queue.fn, poisonSlow: true } };
}

function crowded(random: SeededRandom, queue: QueueScenario): QueueScenario {
  const { mapping, fn, workload, receivesMax } = queue;
  return {
    ...queue,
    mapping: { ...mapping, concurrencyMax: 2, provisionedPollers: undefined },
    fn: { ...fn, latencyMinMs: 0.3 * fn.timeoutMs, latencyMaxMs: 0.9 * fn.timeoutMs },
    visibilityMs: fn.timeoutMs + random.int(8_000, 14_000),
    receivesMax: receivesMax === undefined ? undefined : Math.min(2, receivesMax),
    workload: {
      ...workload,
      records: Math.min(60 * mapping.batchSize, 240, workload.records),
      poison: [],
      unmadeShare: 0,
    },
  };
}

function generateUsualQueue(random: SeededRandom, draft: QueueDraft): QueueScenario {
  const { flavour } = draft;
  const isSwarm = flavour === "swarm";
  const shape = random.fork("queue");
  const isFifo = shape.chance(draft.isTired ? 0.8 : 0.5);
  const mapping = generateQueueMapping(random.fork("mapping"), draft, isFifo);
  const timeoutMs = random.int(400, 4_000);
  const receivesMax = flavour !== "isolation" && shape.chance(0.5) ? shape.int(1, 5) : undefined;
  const latencySpreadMs = flavour === "isolation" ? 1 : random.pick([1, 10, 50, 200, 1_000]);
  const fn: FunctionScenario = {
    timeoutMs,
    concurrency: !isSwarm || random.chance(0.8) ? 1_000 : random.int(1, 4),
    latencyMinMs: draft.isTired ? 0.3 * timeoutMs : random.int(0, 10),
    latencyMaxMs: draft.isTired ? 0.9 * timeoutMs : Math.min(timeoutMs - 50, 10 + latencySpreadMs),
    poisonReports: draft.isSick || random.chance(0.5),
    // Without a dead-letter queue poison comes again for ever.
    poisonHeals: receivesMax === undefined,
  };
  return {
    mapping,
    fn,
    workload: generateQueueWorkload(random.fork("workload"), draft, mapping, receivesMax !== undefined),
    isFifo,
    visibilityMs: timeoutMs + shape.int(0, draft.isTired ? 1_000 : 6_000),
    receivesMax,
    isGroupHeldByAny: shape.chance(0.5),
  };
}

function generateQueueMapping(random: SeededRandom, draft: QueueDraft, isFifo: boolean): QueueMapping {
  const { flavour, ordinal } = draft;
  const isPatient = flavour === "isolation";
  const hasWindow = !isFifo && !isPatient && random.chance(0.35);
  const batchingWindowMs = hasWindow ? random.int(1, 4) * 1_000 : 0;
  const reports = random.chance(isFifo ? 0.65 : 0.5);
  const small = random.pick([1, 2, random.int(3, 10)]);
  const batchSize = hasWindow && random.chance(0.6) ? random.int(11, 60) : small;
  const scaling = random.next();
  const name = `queue-${ordinal}`;
  return {
    uuid: `00000000-0000-4000-8000-00000000010${ordinal}`,
    name,
    functionName: `function-of-${name}`,
    functionArn: `arn:aws:lambda:eu-west-1:123456789012:function:function-of-${name}`,
    eventSourceArn: SIM_QUEUE_ARN,
    enabled: true,
    // A batch that fails as a whole fails its healthy messages too: what always fails must be told apart.
    batchSize: draft.isSick && !reports ? 1 : batchSize,
    batchingWindowMs,
    reportBatchItemFailures: reports,
    filterPatterns: random.chance(0.3) ? [QUEUE_FILTER_PATTERN] : [],
    concurrencyMax: draft.isTired ? 2 : scaling < 0.3 ? random.int(2, 12) : undefined,
    provisionedPollers:
      !draft.isTired && scaling > 0.85 ? { min: random.int(1, 2), max: random.int(2, 20) } : undefined,
    strictAwsFifo: isFifo && random.chance(0.6),
  };
}

function generateQueueWorkload(
  random: SeededRandom,
  draft: QueueDraft,
  { batchSize, filterPatterns }: QueueMapping,
  hasDeadLetters: boolean,
): QueueWorkload {
  const { flavour, isLarge } = draft;
  const isPatient = flavour === "isolation";
  const invocations = random.int(60, draft.isTired ? 80 : isPatient ? 120 : 400) / draft.mappingCount;
  const fill = random.chance(0.5) ? Math.min(batchSize, 6) : 1.5;
  const records = Math.round(invocations * fill);
  const hasPoison = flavour === "swarm" && !isLarge && random.chance(0.3);
  const poisonCount = hasPoison ? random.int(1, 4) : 0;
  const small = random.chance(0.5) ? 60 : 2_000;
  const largeBytes = draft.settings.payloadBytesMax;
  return {
    keys: isPatient ? random.int(20, 40) : random.pick([1, 3, 10, 50, 200]),
    skew: isPatient ? 1 : random.pick([1, 1, 2, 4]),
    records,
    backlogShare: random.pick([0, 0.2, 0.5, 1]),
    arrivalsEndMs: Math.round(draft.faultsEndMs * (isPatient ? 0.4 : random.between(0.4, 1.1))),
    bytesMin: 50,
    bytesMax: 50 + small,
    largeShare: isLarge ? 0.2 : 0,
    largeBytesMin: isLarge ? Math.round(largeBytes / 5) : 0,
    largeBytesMax: isLarge ? Math.round(largeBytes * 0.9) : 0,
    unwantedShare: filterPatterns.length === 0 ? 0 : random.pick([0.1, 0.5, 0.9, 1]),
    poison: Array.from({ length: poisonCount }, () => random.int(0, records - 1)),
    // Without a dead-letter queue they would come again for ever.
    unmadeShare: flavour === "swarm" && hasDeadLetters && random.chance(0.3) ? random.pick([0.02, 0.1]) : 0,
    poisoned: draft.isSick ? random.pick(["everything", "group"]) : "nothing",
  };
}
