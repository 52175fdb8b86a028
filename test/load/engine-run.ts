import type { StreamMapping } from "../../src/model/mapping.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import type { Tracing } from "../../src/ports/tracing.ts";
import { createMemoryStore } from "../../src/stores/memory.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";

export const PLAIN: StreamMapping = {
  uuid: "b0000000-0000-4000-8000-000000000001",
  name: "bench",
  functionName: "bench",
  functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:bench",
  eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/bench",
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

/**
 * Runs the whole engine, with its real telemetry and default settings, over a stream of closed shards until all of them
 * are settled and checkpointed.
 */
export async function runEngine(
  source: StreamSource,
  target: FunctionTarget,
  settings: Partial<StreamMapping>,
  tracing?: Tracing,
): Promise<void> {
  const store = createMemoryStore();
  const mapping = { ...PLAIN, ...settings };
  const engine = createQuietEngine({ tracing, store });
  engine.start({
    kind: "stream",
    mapping,
    source,
    fn: { name: "bench", target, timeoutMs: 30_000, concurrency: 1_000 },
    destination: undefined,
  });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const rows = await store.list(mapping.uuid);
    if (rows.length > 0 && rows.every((row) => row.checkpoint.ended)) break;
  }
  await engine.stop(1_000);
}
