import { z } from "zod";
import {
  BATCH_SIZE_MAX,
  BATCHING_WINDOW_SECONDS_MAX,
  DESTINATION_CHARS_MAX,
  FILTER_PATTERN_CHARS_MAX,
  FILTERS_MAX,
  PARALLELIZATION_FACTOR_MAX,
  RECORD_AGE_SECONDS_MAX,
  RETRY_ATTEMPTS_MAX,
  TUMBLING_WINDOW_SECONDS_MAX,
} from "../model/limits.ts";
import type { Connector } from "../ports/connector.ts";
import { ownFields } from "./own-fields.ts";
import { PIPE_FIELDS } from "./pipe-schema.ts";
import { provisionedPollerConfig, scalingConfig, tenant } from "./queue-schema.ts";
import { formsOf } from "./source-forms.ts";

/**
 * The shape of a mapping's `spec`: AWS's parameters that mappings of several connectors have, in lower camel case
 * (streams §1.3), and between them those that each connector brings.
 */

/** The year 2255: more is a time in milliseconds. */
const EPOCH_SECONDS_MAX = 9_000_000_000;

const filterCriteria = z
  .strictObject({
    filters: z
      .array(
        z.strictObject({
          pattern: z
            .string()
            .max(FILTER_PATTERN_CHARS_MAX)
            .describe("An EventBridge pattern as a JSON text."),
        }),
      )
      .max(FILTERS_MAX)
      .optional()
      .describe("A record passes when one of the patterns matches. None: all records pass."),
  })
  .describe("Which records reach the function. The others are settled without an invocation.");

const destinationConfig = z
  .strictObject({
    onFailure: z
      .strictObject({
        destination: z
          .string()
          .max(DESTINATION_CHARS_MAX)
          .optional()
          .describe(
            "ARN of a standard SQS queue or SNS topic, which get AWS's failure record, or of an S3 bucket, which gets it with its event. file:PATH appends the record with its event as a line of JSON; relative to the folder of this file. Empty or left out: records that are given up are dropped and counted.",
          ),
      })
      .optional()
      .describe("For records that are given up by age or attempts."),
  })
  .describe("Streams only. Where records go that are given up. A queue has its own redrive policy.");

/** Who is invoked, and what is read. */
const ENDS = {
  functionName: z
    .string()
    .min(1)
    .max(256)
    .describe(
      "Function to invoke: the name of a Function manifest, with a qualifier behind a colon if wanted, or its ARN.",
    ),
  eventSourceArn: z
    .string()
    .max(10_000)
    .optional()
    .describe("ARN of the stream, queue or cluster. A mapping has it, or selfManagedEventSource."),
};

const SETTINGS = {
  enabled: z.boolean().default(true).describe("False: nothing is polled. The checkpoint is kept."),
  startingPosition: z
    .enum(["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"])
    .optional()
    .describe(
      "Streams only, and required there unless the source has a default. Where a mapping that has no checkpoint yet begins: the oldest record (TRIM_HORIZON), what comes from now on (LATEST), or startingPositionTimestamp (AT_TIMESTAMP).",
    ),
  startingPositionTimestamp: z
    .union([z.number().min(0).max(EPOCH_SECONDS_MAX), z.iso.datetime({ offset: true })])
    .optional()
    .describe(
      "With AT_TIMESTAMP: where to begin, as an ISO 8601 time such as 2026-01-31T00:00:00Z or in seconds since 1970. Not in the future.",
    ),
  batchSize: z
    .int()
    .min(1)
    .max(BATCH_SIZE_MAX)
    .optional()
    .describe(
      "Most records of one invocation. Default 100, and 10 for queues; a FIFO queue, or a queue without a batching window, has at most 10.",
    ),
  maximumBatchingWindowInSeconds: z
    .int()
    .min(0)
    .max(BATCHING_WINDOW_SECONDS_MAX)
    .optional()
    .describe(
      "How long to gather records for a batch, in seconds. 0: invoke as soon as there is a record. Default 0. FIFO queues have none.",
    ),
  parallelizationFactor: z
    .int()
    .min(1)
    .max(PARALLELIZATION_FACTOR_MAX)
    .default(1)
    .describe("Streams only. Batches of one shard that run at once. Records of one key stay in order."),
  maximumRetryAttempts: z
    .int()
    .min(-1)
    .max(RETRY_ATTEMPTS_MAX)
    .default(-1)
    .describe("Streams only. Retries of a failed batch before it is given up. -1: until its records expire."),
  maximumRecordAgeInSeconds: z
    .int()
    .min(-1)
    .max(RECORD_AGE_SECONDS_MAX)
    .default(-1)
    .describe(
      "Streams only. Age at which a record is given up, in seconds: 60 to 604800, or -1 for as long as the source keeps it.",
    ),
  bisectBatchOnFunctionError: z
    .boolean()
    .default(false)
    .describe("Streams only. Split a failed batch in two and try the halves, down to the record that fails."),
  functionResponseTypes: z
    .array(z.enum(["ReportBatchItemFailures"]))
    .max(1)
    .default([])
    .describe("With ReportBatchItemFailures the function's answer names the records that failed."),
  tumblingWindowInSeconds: z
    .int()
    .min(0)
    .max(TUMBLING_WINDOW_SECONDS_MAX)
    .default(0)
    .describe(
      "Streams only. Length of the windows over which the function carries state, in seconds. 0: none.",
    ),
  filterCriteria: filterCriteria.optional(),
  ...PIPE_FIELDS,
  destinationConfig: destinationConfig.optional(),
  scalingConfig: scalingConfig.optional(),
  provisionedPollerConfig: provisionedPollerConfig.optional(),
  tenant: tenant.optional(),
  strictAwsFifo: z
    .boolean()
    .default(true)
    .describe(
      "FIFO queues with ReportBatchItemFailures. True: what the function does not list is deleted, as on AWS. False: a listed message also holds back the later ones of its group; each time costs them a receive, and behind a message that always fails they reach the dead-letter queue though they succeed.",
    ),
  endpoints: z
    .record(z.string(), z.array(z.string().min(1)).min(1).max(100))
    .optional()
    .describe(
      "Where to find a source that its ARN alone does not find, by names that the source defines, such as LOCAL_FILE. Paths (names in _FILE) are relative to the folder of this file.",
    ),
  uuid: z
    .uuid()
    .optional()
    .describe(
      "Identity under which leases and checkpoints are kept. Derived from the name when left out, so a mapping that is renamed starts anew unless its uuid is given.",
    ),
  tags: z.record(z.string(), z.string()).optional().describe("Tags of the mapping."),
};

const commonSpec = z.strictObject({ ...ENDS, ...SETTINGS });

/** What all mappings have; fields of the connectors' own stand beside, by their names (`ownField`). */
export type MappingSpec = z.output<typeof commonSpec>;

/** With fields of the connectors, and what they note of the common ones. */
export function mappingSpecSchema(connectors: readonly Connector[]): z.ZodType<MappingSpec> {
  const forms = `Here: ${formsOf(connectors).join(", ")}.`;
  const { functionName, eventSourceArn } = ENDS;
  const shape = {
    functionName,
    eventSourceArn: withNotes(eventSourceArn, [forms]),
    ...ownFields(connectors),
    ...noted(SETTINGS, connectors),
  };
  const description =
    "AWS's parameters of an event source mapping, in lower camel case, with AWS's defaults.";
  // Whatever connectors add, what all have stays.
  return z.strictObject(shape).describe(description) as unknown as z.ZodType<MappingSpec>;
}

function noted(fields: Readonly<Record<string, z.ZodType>>, connectors: readonly Connector[]) {
  const entries = Object.entries(fields).map(([name, schema]) => {
    const notes = connectors.flatMap(({ parameters }) => parameters.notes?.[name] ?? []);
    return [name, withNotes(schema, notes)] as const;
  });
  return Object.fromEntries(entries);
}

function withNotes(schema: z.ZodType, notes: readonly string[]): z.ZodType {
  if (notes.length === 0) return schema;
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : undefined;
  const description = schema.description ?? (inner instanceof z.ZodType ? inner.description : undefined);
  return schema.describe([description ?? "", ...new Set(notes)].join(" "));
}
