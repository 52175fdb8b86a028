import type { MappingView } from "../../src/control/mapping-view.ts";
import type { MappingSnapshot, SeenPart } from "../../src/control/process-snapshot.ts";
import type { SeenProcess, WholeView } from "../../src/control/whole-view.ts";
import type { ShardExplanation } from "../../src/engine/explanation.ts";
import { reason } from "../../src/model/reason.ts";
import { COUNTERS, type CounterName } from "../../src/ports/telemetry.ts";

export interface CrowdSize {
  readonly mappings: number;
  /** Of each mapping, over all processes. */
  readonly shards: number;
  readonly processes: number;
}

const LANES = 10;
const STARTED_MS = 1_700_000_000_000;
/** Some of each process's parts are held up, as a snapshot has them: the first mappings have most. */
const HELD_MAPPINGS = 20;
const HELD_PARTS = 100;

/** What processes with many mappings of many shards say of themselves: at each look everything has gone on. */
export class Crowd {
  readonly #size: CrowdSize;
  readonly #template: MappingView;
  #looks = 0;

  constructor(size: CrowdSize, template: MappingView) {
    this.#size = size;
    this.#template = template;
  }

  get looks(): number {
    return this.#looks;
  }

  views(): readonly MappingView[] {
    return Array.from({ length: this.#size.mappings }, (_, index) => {
      const { resource } = this.#template;
      const mapping = { ...resource.mapping, uuid: uuidOf(index), name: `mapping-${index}` };
      return {
        ...this.#template,
        state: "Enabled" as const,
        resource: { ...resource, mapping } as MappingView["resource"],
      };
    });
  }

  next(): WholeView {
    this.#looks += 1;
    const { processes } = this.#size;
    return {
      nowMs: STARTED_MS + this.#looks * 1_000,
      problem: undefined,
      processes: Array.from({ length: processes }, (_, index) => this.#process(index)),
    };
  }

  #process(index: number): SeenProcess {
    const { mappings, shards, processes } = this.#size;
    const own = Math.ceil(shards / processes);
    const nowMs = STARTED_MS + this.#looks * 1_000;
    // All mappings of a process have shards alike: what is measured reads them, and does not make them.
    const explained = Array.from({ length: own }, (_, at) => this.#shard(index * own + at));
    return {
      isHere: index === 0,
      standing: "lives",
      ageMs: 0,
      snapshot: {
        form: 1,
        processId: `millrace-${index}`,
        beatsAs: `millrace-${index}`,
        startedMs: STARTED_MS,
        atMs: nowMs,
        isEnded: false,
        mappingsLeftOut: 0,
        loadTests: index === 0 ? [LOAD_TEST] : [],
        mappings: Array.from({ length: mappings }, (_, at) => this.#mapping(at, explained, nowMs)),
      },
    };
  }

  #mapping(index: number, shards: readonly ShardExplanation[], nowMs: number): MappingSnapshot {
    const counters = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0])) as Record<
      CounterName,
      number
    >;
    const done = this.#looks * (100 + index);
    const isHeld = index < HELD_MAPPINGS;
    return {
      uuid: uuidOf(index),
      name: `mapping-${index}`,
      source: `arn:aws:kinesis:eu-west-1:123456789012:stream/source-${index}`,
      functionName: `function-${index % 7}`,
      state: "Enabled",
      lastProcessingResult: "OK",
      oldestAgeMs: 400 + ((this.#looks * 37 + index * 11) % 900),
      caughtUp: false,
      counters: {
        ...counters,
        polled_events: done,
        invoked_events: done,
        failed_invoke_events: isHeld ? done / 10 : 0,
      },
      invocations: done,
      explanation: { kind: "stream", function: FUNCTION, shards },
      shards: shards.length,
      shardsLeftOut: 0,
      parts: isHeld ? shards.flatMap((shard) => this.#held(shard, nowMs)).slice(0, HELD_PARTS) : [],
      partsLeftOut: 0,
      errors: { errors: isHeld ? [ERROR] : [], leftOut: 0 },
    };
  }

  #held({ shardId, lanes }: ShardExplanation, nowMs: number): readonly SeenPart[] {
    return lanes.slice(0, 2).map(({ lane }) => ({
      part: `${shardId} lane ${lane}`,
      holdsWork: true,
      sinceMs: STARTED_MS - 60_000,
      reasons: [
        reason("functionFails", {
          sinceMs: nowMs - 1_000,
          untilMs: nowMs + 1_000,
          facts: { errorId: ERROR.id, attempts: this.#looks },
        }),
      ],
    }));
  }

  #shard(index: number): ShardExplanation {
    const looks = this.#looks;
    return {
      shardId: `shardId-${String(index).padStart(12, "0")}`,
      epoch: 1,
      bufferedRecords: (looks * 13 + index) % 500,
      bufferedBytes: 10_000,
      settledRecords: looks * 100 + index,
      checkpointFailures: undefined,
      lagMs: (looks * 91 + index * 7) % 60_000,
      offsetLag: undefined,
      caughtUp: false,
      ended: false,
      isLeaseLive: true,
      settled: { kind: "oldest" },
      passedOverRecords: 0,
      reading: "reading",
      readingNow: { doing: "pausing", sinceMs: STARTED_MS, untilMs: STARTED_MS },
      readFailures: undefined,
      lanes: Array.from({ length: LANES }, (_, lane) => ({
        lane,
        waitingRecords: (looks + lane) % 5,
        idleSinceMs: STARTED_MS,
        fillingUntilMs: undefined,
        batch: (looks + lane + index) % 3 === 0 ? undefined : BATCH,
      })),
    };
  }
}

const ERROR = {
  id: "e7f3",
  function: "function",
  errorType: "TypeError",
  message: "no price for order 1",
  stack: "at price (orders.ts:14)",
  logTail: "looking for the price",
  count: 3,
  firstSeenMs: STARTED_MS,
  lastSeenMs: STARTED_MS,
  lastRequestId: "request",
  sample: {},
  version: undefined,
};

const LOAD_TEST = {
  name: "soak",
  state: "running",
  elapsedMs: 1_000,
  totalMs: 60_000,
  sentPerSecond: 100,
  deliveredPerSecond: 99,
  lag: 4,
  inFlight: 3,
  failures: 2,
  violations: 1,
  p99Ms: 12,
} as const;

const FUNCTION = {
  name: "function",
  limit: 1_000,
  concurrency: 1_000,
  timeoutMs: 30_000,
  running: 0,
  waiting: 0,
  ownRunning: 0,
  ownWaiting: 0,
};

const BATCH = {
  doing: "invoking",
  sinceMs: STARTED_MS,
  requestId: "request",
  records: 100,
  laterRecords: 0,
  firstRecord: "1",
  lastRecord: "100",
  attempts: 1,
  failures: 0,
  throttles: 0,
  lastProblem: undefined,
  nextAttemptMs: undefined,
  groups: [],
} as const;

function uuidOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}
