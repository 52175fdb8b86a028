import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_SETTINGS, type EngineSettings } from "../../src/engine/settings.ts";
import type { FailureRecord } from "../../src/model/failure-record.ts";
import type { StreamMapping } from "../../src/model/mapping.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { ProgressStore } from "../../src/ports/progress-store.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import { failureOf } from "../fixtures/failure-of.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG_MS = 60_000;
const DRAIN_MS = 5_000;

export interface StreamRun {
  readonly store: ProgressStore;
  /** What was delivered to the failure destination. */
  readonly discarded: readonly FailureRecord[];
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

/** The whole engine in this process, with its real clock, store in memory, on one mapping. */
export function startStreamRun(options: {
  readonly source: StreamSource;
  readonly target: FunctionTarget;
  readonly mapping: StreamMapping;
  readonly settings?: Partial<EngineSettings>;
  readonly store?: ProgressStore;
}): StreamRun {
  const { source, target, mapping, store = createMemoryStore() } = options;
  const discarded: FailureRecord[] = [];
  const engine = createQuietEngine({ store, settings: { ...DEFAULT_SETTINGS, ...options.settings } });
  engine.start({
    kind: "stream",
    mapping,
    source,
    fn: { name: mapping.functionName, target, timeoutMs: 30_000, concurrency: 100 },
    destination:
      mapping.onFailureDestination === undefined
        ? undefined
        : { deliver: async (envelope) => void discarded.push(failureOf(envelope)), close: async () => {} },
  });
  return {
    store,
    discarded,
    async until(what, holds) {
      const deadlineMs = performance.now() + HANG_MS;
      while (!(await holds())) {
        assert.ok(performance.now() < deadlineMs, `within ${HANG_MS} ms there was not: ${what}`);
        await sleep(5);
      }
    },
    stop: async () => void (await engine.stop(DRAIN_MS)),
  };
}

/** AWS's defaults (streams §1.3). */
export const PLAIN_MAPPING: StreamMapping = {
  uuid: "d0000000-0000-4000-8000-000000000001",
  name: "changes",
  functionName: "changes",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:changes",
  eventSourceArn: "",
  enabled: true,
  startingPosition: { kind: "TRIM_HORIZON" },
  batchSize: 100,
  batchingWindowMs: 0,
  parallelizationFactor: 1,
  retryAttemptsMax: undefined,
  recordAgeMsMax: undefined,
  bisectBatchOnFunctionError: false,
  reportBatchItemFailures: false,
  tumblingWindowMs: 0,
  filterPatterns: [],
  onFailureDestination: undefined,
};
