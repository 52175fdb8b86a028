import { z } from "zod";
import {
  MAXIMUM_POLLERS_MAX,
  MINIMUM_POLLERS_MAX,
  POLLERS_MIN,
  QUEUE_CONCURRENCY_MAX,
  QUEUE_CONCURRENCY_MIN,
} from "../model/limits.ts";

/** `spec.scalingConfig` and its alternative, of mappings of queues (queues §2.4). */
export const scalingConfig = z
  .strictObject({
    maximumConcurrency: z
      .int()
      .min(QUEUE_CONCURRENCY_MIN)
      .max(QUEUE_CONCURRENCY_MAX)
      .optional()
      .describe("Most batches of the queue that run at once. Left out: AWS's 1250."),
  })
  .describe("Queues only. How many invocations run at once.");

export const provisionedPollerConfig = z
  .strictObject({
    minimumPollers: z
      .int()
      .min(POLLERS_MIN)
      .max(MINIMUM_POLLERS_MAX)
      .optional()
      .describe(
        "Event pollers that are always there; each is worth ten batches of a queue at once. Default 2.",
      ),
    maximumPollers: z
      .int()
      .min(POLLERS_MIN)
      .max(MAXIMUM_POLLERS_MAX)
      .optional()
      .describe("Event pollers at most. Default 200."),
  })
  .describe(
    "Queues. Pollers of the mapping's own, in place of scalingConfig; queues have at least 2. Empty: none.",
  );
