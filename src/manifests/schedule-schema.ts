import { z } from "zod";

/** The shapes of a Schedule's and a Rule's `spec`: AWS's members in lower camel case. Rules between them are in
 * `schedule-checks.ts`. */

const WINDOW_MINUTES_MAX = 1_440;
const AGE_SECONDS_MAX = 86_400;
const RETRIES_MAX = 185;
/** AWS's bounds. */
const TARGETS_MAX = 5;
const INPUT_PATHS_MAX = 100;
const TEMPLATE_CHARS_MAX = 8_192;
/** As an event of Lambda's may have. */
const INPUT_CHARS_MAX = 262_144;

const timestamp = z.union([z.number().min(0), z.iso.datetime({ offset: true })]);

const arn = z
  .string()
  .min(1)
  .max(1_600)
  .describe("metadata.name of a function, with an alias or version behind a colon if wanted, or its ARN.");

const retryPolicy = z
  .strictObject({
    maximumEventAgeInSeconds: z
      .int()
      .min(60)
      .max(AGE_SECONDS_MAX)
      .optional()
      .describe("How old an event may become before it is given up. Default: what its function has."),
    maximumRetryAttempts: z
      .int()
      .min(0)
      .max(RETRIES_MAX)
      .optional()
      .describe("How often a failing function is called again; Lambda's own bound of two holds, too."),
  })
  .optional()
  .describe("How long and how often an event is tried.");

const deadLetterConfig = z
  .strictObject({ arn: z.string().min(1).max(1_600).optional().describe("ARN of a queue.") })
  .optional()
  .describe("Where an event goes that is given up.");

const target = z
  .strictObject({
    arn,
    roleArn: z.string().max(1_600).optional().describe("Kept and shown; no role is assumed."),
    input: z
      .string()
      .max(INPUT_CHARS_MAX)
      .optional()
      .describe(
        "What the function gets, as a JSON text. <aws.scheduler.scheduled-time>, <aws.scheduler.schedule-arn>, <aws.scheduler.execution-id> and <aws.scheduler.attempt-number> are filled in. Default: a Scheduled Event.",
      ),
    retryPolicy,
    deadLetterConfig,
  })
  .describe("The function that is invoked, asynchronously.");

const flexibleTimeWindow = z
  .strictObject({
    mode: z.enum(["OFF", "FLEXIBLE"]).describe("FLEXIBLE: each tick is put off, by less than the window."),
    maximumWindowInMinutes: z
      .int()
      .min(1)
      .max(WINDOW_MINUTES_MAX)
      .optional()
      .describe("The window; FLEXIBLE needs it."),
  })
  .default({ mode: "OFF" })
  .describe("Whether ticks may come later than they are meant.");

const state = z
  .enum(["ENABLED", "DISABLED"])
  .default("ENABLED")
  .describe("DISABLED: nothing happens, and nothing is made up for later.");

const description = z.string().max(512).optional().describe("For people.");

export const scheduleSpec = z
  .strictObject({
    scheduleExpression: z
      .string()
      .min(1)
      .max(256)
      .describe(
        "rate(5 minutes), cron(minutes hours day-of-month month day-of-week year), or at(2026-12-24T18:00:00).",
      ),
    scheduleExpressionTimezone: z
      .string()
      .min(1)
      .max(50)
      .default("UTC")
      .describe("IANA zone of cron and at. An hour that is left out has no tick, a doubled one has one."),
    startDate: timestamp.optional().describe("Nothing is due before; a rate counts from it."),
    endDate: timestamp.optional().describe("Nothing is due later."),
    flexibleTimeWindow,
    state,
    actionAfterCompletion: z
      .enum(["NONE", "DELETE"])
      .default("NONE")
      .describe("DELETE: the schedule goes when its last tick is in the queue; for schedules of the API."),
    groupName: z
      .string()
      .regex(/^[0-9a-zA-Z-_.]{1,64}$/)
      .default("default")
      .describe("Names are unique within their group."),
    description,
    target,
  })
  .describe("Invokes a function at times, as EventBridge Scheduler does.");

export type ScheduleSpec = z.output<typeof scheduleSpec>;

const ruleTarget = z.strictObject({
  id: z
    .string()
    .regex(/^[.\-_A-Za-z0-9]{1,64}$/)
    .describe("Tells the targets of a rule from each other."),
  arn,
  roleArn: z.string().max(1_600).optional().describe("Kept and shown; no role is assumed."),
  input: z.string().max(TEMPLATE_CHARS_MAX).optional().describe("A JSON text that takes the event's place."),
  inputPath: z.string().max(256).optional().describe("The part of the event that the target gets: $.detail."),
  inputTransformer: z
    .strictObject({
      inputPathsMap: z
        .record(z.string().regex(/^[A-Za-z0-9_-]{1,256}$/), z.string().max(256))
        .default({})
        .describe("Parts of the event by names: {id: $.detail.id}."),
      inputTemplate: z
        .string()
        .min(1)
        .max(TEMPLATE_CHARS_MAX)
        .describe("What the target gets, with <id> in the place of the part."),
    })
    .refine(({ inputPathsMap }) => Object.keys(inputPathsMap).length <= INPUT_PATHS_MAX, {
      message: `An input transformer has at most ${INPUT_PATHS_MAX} paths.`,
    })
    .optional()
    .describe("Makes what the target gets out of parts of the event."),
  retryPolicy,
  deadLetterConfig,
});

export const ruleSpec = z
  .strictObject({
    eventBusName: z
      .string()
      .regex(/^[/.\-_A-Za-z0-9]{1,256}$/)
      .default("default")
      .describe("Names are unique within their bus. Whatever bus is named is there."),
    eventPattern: z
      .union([z.string().max(4_096), z.record(z.string(), z.unknown())])
      .optional()
      .describe("Events that the rule takes: a pattern of EventBridge, as a map or as its JSON text."),
    scheduleExpression: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("rate(…) or cron(…) in UTC, on the default bus."),
    state,
    description,
    targets: z.array(ruleTarget).max(TARGETS_MAX).default([]).describe("Whom events of the rule go to."),
  })
  .describe("Hands events over to functions, as a rule of EventBridge does.");

export type RuleSpec = z.output<typeof ruleSpec>;
export type RuleTarget = RuleSpec["targets"][number];
