import { z } from "zod";
import { EVENT_AGE_SECONDS_MAX, EVENT_AGE_SECONDS_MIN, EVENT_RETRIES_MAX } from "../model/invoke-config.ts";
import { DESTINATION_CHARS_MAX } from "../model/limits.ts";

const asyncRoute = (what: string) =>
  z
    .strictObject({
      destination: z
        .string()
        .max(DESTINATION_CHARS_MAX)
        .optional()
        .describe(
          `Where ${what} is told: the ARN of a queue, of SNS, of a function or an event bus, an http or https URL, file:PATH, or an address that a source brings (docs/asynchronous.md).`,
        ),
    })
    .optional()
    .describe(`Whom it is told ${what}.`);

/** As AWS's EventInvokeConfig; of one qualifier, and inherited by none. */
export const invokeConfigSpec = z
  .strictObject({
    maximumRetryAttempts: z
      .int()
      .min(0)
      .max(EVENT_RETRIES_MAX)
      .optional()
      .describe("Retries after function errors, a minute and two minutes later. Default: 2."),
    maximumEventAgeSeconds: z
      .int()
      .min(EVENT_AGE_SECONDS_MIN)
      .max(EVENT_AGE_SECONDS_MAX)
      .optional()
      .describe("How long an event may wait for an attempt, in seconds. Default: 21600, which is six hours."),
    destinationConfig: z
      .strictObject({
        onSuccess: asyncRoute("that an event succeeded"),
        onFailure: asyncRoute("that an event was given up"),
      })
      .optional()
      .describe("Who gets a record of each event that has ended."),
  })
  .describe("How asynchronous events are retried, and where their ends are told.");

export const deadLetterConfig = z
  .strictObject({
    targetArn: z
      .string()
      .max(DESTINATION_CHARS_MAX)
      .describe(
        "ARN of a standard queue, or of SNS, file:PATH, or an address that a source brings: it gets each event that was given up.",
      ),
  })
  .optional()
  .describe("Dead-letter target of asynchronous events.");
