import { describe } from "node:test";
import { describeChangesContract } from "./queue-source-changes.ts";
import { describeQueueEventsContract } from "./queue-source-events.ts";
import { describeGroupsContract } from "./queue-source-groups.ts";
import type { QueueHarness } from "./queue-source-harness.ts";
import { describeHoldsContract } from "./queue-source-holds.ts";
import { describeReceivingContract } from "./queue-source-receiving.ts";

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

/** The laws of `src/ports/queue-source.ts`. Every adapter, simulated or real, runs them. */
export function describeQueueSourceContract(name: string, harness: QueueHarness): void {
  describe(`QueueSource contract: ${name}`, HANG, () => {
    describeReceivingContract(harness);
    describeHoldsContract(harness);
    describeGroupsContract(harness);
    describeQueueEventsContract(harness);
    describeChangesContract(harness);
  });
}
