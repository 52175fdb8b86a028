import { z } from "zod";
import { ALARMS_DEFAULT, MINIMUM_INVOCATIONS_DEFAULT, planOf, type RolloutOrder } from "../model/rollout.ts";

const percent = z.number().min(1).max(99);
const minutes = z.int().min(1).max(2_880);

const planSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("allAtOnce") }),
  z.strictObject({ kind: z.literal("canary"), percent, minutes }),
  z.strictObject({ kind: z.literal("linear"), percent, minutes }),
]);

const alarmsSchema = z.strictObject({
  errorRate: z.number().min(0).max(1).optional(),
  throttleRate: z.number().min(0).max(1).optional(),
  p99Ms: z.number().min(1).max(900_000).optional(),
  iteratorAgeMs: z
    .number()
    .min(1)
    .max(604_800_000)
    .optional()
    .describe(
      "Age of the oldest record of a stream that mappings of this alias have not settled, in milliseconds.",
    ),
  prometheusQuery: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      "PromQL, asked of the server that --prometheus names: on while it answers with anything, such as sum(rate(orders_refused_total[1m])) > 5. Without an answer a step waits.",
    ),
});

const hooksSchema = z.strictObject({
  before: z.string().min(1).max(140).optional(),
  after: z.string().min(1).max(140).optional(),
});

/** As a manifest declares it: `type` is one of AWS's names, or a plan of one's own. */
export const declaredRollout = z
  .strictObject({
    type: z
      .union([z.string().min(1).max(100), planSchema])
      .describe(
        "How a new version of the alias takes its traffic over: AllAtOnce, Canary10Percent5Minutes (…10, 15, 30Minutes), Linear10PercentEvery1Minute (…2, 3, 10Minutes), or { kind: canary | linear, percent: 10, minutes: 5 }.",
      ),
    alarms: alarmsSchema
      .optional()
      .describe(
        "What the new version may not do in a minute, else all traffic goes back at once. Default: errorRate 0.01.",
      ),
    minimumInvocations: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(MINIMUM_INVOCATIONS_DEFAULT)
      .describe("Calls of the last minute without which nothing is judged."),
    requireTraffic: z
      .boolean()
      .default(false)
      .describe(
        "Without so many calls the rollout goes back. Otherwise it goes on after twice its interval.",
      ),
    hooks: hooksSchema
      .optional()
      .describe("Functions that are called before any traffic and after all of it; each says how it went."),
  })
  .describe("How a new version of this alias is brought in. Without it all calls go there at once.");

export type DeclaredRollout = Readonly<z.output<typeof declaredRollout>>;

/** `undefined`: its type is no configuration. */
export function orderOf(declared: DeclaredRollout): RolloutOrder | undefined {
  const { type, alarms = ALARMS_DEFAULT, hooks = {}, minimumInvocations, requireTraffic } = declared;
  const plan = typeof type === "string" ? planOf(type) : type;
  return plan && { plan, alarms, hooks, minimumInvocations, requireTraffic };
}
