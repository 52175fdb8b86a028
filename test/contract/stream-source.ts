import { describe } from "node:test";
import { describeEventsContract } from "./stream-source-events.ts";
import { describeFailuresContract } from "./stream-source-failures.ts";
import type { StreamHarness } from "./stream-source-harness.ts";
import { describeIdentityContract } from "./stream-source-identity.ts";
import { describeReadingContract } from "./stream-source-reading.ts";
import { describeShardsContract } from "./stream-source-shards.ts";
import { describeStartPointsContract } from "./stream-source-start.ts";
import { describeWordContract } from "./stream-source-word.ts";

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

/** The laws of `src/ports/stream-source.ts`. Every adapter, simulated or real, runs them. */
export function describeStreamSourceContract(name: string, harness: StreamHarness): void {
  describe(`StreamSource contract: ${name}`, HANG, () => {
    describeReadingContract(harness);
    describeStartPointsContract(harness);
    describeShardsContract(harness);
    describeWordContract(harness);
    describeFailuresContract(harness);
    describeEventsContract(harness);
    describeIdentityContract(harness);
  });
}
