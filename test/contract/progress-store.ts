import { describe } from "node:test";
import { describeCheckpointsContract } from "./progress-store-checkpoints.ts";
import { describeDurabilityContract } from "./progress-store-durability.ts";
import type { ProgressStoreHarness } from "./progress-store-harness.ts";
import { describeLeasesContract } from "./progress-store-leases.ts";
import { describeRecordsContract } from "./progress-store-records.ts";

export type { ProgressStoreFixture, ProgressStoreHarness } from "./progress-store-harness.ts";

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

/** The laws of `src/ports/progress-store.ts`. Every adapter, simulated or real, runs them. */
export function describeProgressStoreContract(name: string, harness: ProgressStoreHarness): void {
  describe(`ProgressStore contract: ${name}`, HANG, () => {
    describeRecordsContract(harness);
    describeLeasesContract(harness);
    describeCheckpointsContract(harness);
    describeDurabilityContract(harness);
  });
}
