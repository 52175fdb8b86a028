import { z } from "zod";

const percent = z.number();
const minutes = z.int();

const planSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("allAtOnce") }),
  z.strictObject({ kind: z.literal("canary"), percent, minutes }),
  z.strictObject({ kind: z.literal("linear"), percent, minutes }),
]);

const alarmsSchema = z.strictObject({
  errorRate: z.number().optional(),
  throttleRate: z.number().optional(),
  p99Ms: z.number().optional(),
  iteratorAgeMs: z.number().optional(),
  prometheusQuery: z.string().optional(),
});

const hooksSchema = z.strictObject({
  before: z.string().optional(),
  after: z.string().optional(),
});

/** A rollout as an alias's row keeps it. */
export const rolloutSchema = z.strictObject({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  plan: planSchema,
  alarms: alarmsSchema,
  minimumInvocations: z.int(),
  requireTraffic: z.boolean(),
  hooks: hooksSchema,
  status: z.enum(["InProgress", "Succeeded", "Failed", "Stopped"]),
  phase: z.enum(["before", "shifting", "after"]),
  step: z.int(),
  hook: z
    .strictObject({ executionId: z.string(), status: z.enum(["due", "called", "Succeeded", "Failed"]) })
    .optional(),
  startedMs: z.number(),
  endedMs: z.number().optional(),
  reason: z.string().optional(),
});
