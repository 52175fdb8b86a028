import { z } from "zod";
import {
  MAXIMUM_POLLERS_MAX,
  MINIMUM_POLLERS_MAX,
  POLLERS_MIN,
  QUEUE_CONCURRENCY_MAX,
  QUEUE_CONCURRENCY_MIN,
  TENANT_CHARS_MAX,
  TENANT_WEIGHT_MAX,
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

/** A JSON pointer, or the name that stands for that of a message's group. */
const BY_PATTERN = /^(messageGroupId|(\/([^~/]|~[01])*)+)$/;

export const tenant = z
  .strictObject({
    by: z
      .string()
      .max(TENANT_CHARS_MAX)
      .regex(BY_PATTERN)
      .describe(
        "Whose a message is: messageGroupId, or a JSON pointer into what filter patterns see of it, such as /body/tenantId. Messages without it share one place.",
      ),
    weights: z
      .record(z.string().min(1).max(TENANT_CHARS_MAX), z.int().min(1).max(TENANT_WEIGHT_MAX))
      .optional()
      .describe("By tenant: so many times the time of one that is not named. 1 to 100; 100 tenants at most."),
    batchPerTenant: z
      .boolean()
      .default(false)
      .describe("True: a batch has messages of one tenant alone, at the price of smaller batches."),
  })
  .describe(
    "Queues without order only, and beyond Lambda. Fair lanes: the function's time is dealt out over tenants, so that who sends a flood waits behind his own messages alone.",
  );

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
