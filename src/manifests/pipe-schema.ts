import { z } from "zod";
import { INPUT_TEMPLATE_CHARS_MAX } from "../model/limits.ts";

/** What stands between a mapping's filter and its function, by the names that EventBridge Pipes has (queues §3). */

const parameters = (description: string, ofTemplate: string) =>
  z
    .strictObject({
      inputTemplate: z.string().min(1).max(INPUT_TEMPLATE_CHARS_MAX).optional().describe(ofTemplate),
    })
    .optional()
    .describe(description);

export const PIPE_FIELDS = {
  enrichment: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      "Function that enriches each batch before functionName gets it: the name of a Function manifest, with a qualifier behind a colon if wanted, or its ARN. It gets the records as a JSON list, and its answer takes their place: a list, or one value. An empty list, text or object: nothing is left to do for these records. Its failure is the batch's. Not with tumbling windows.",
    ),
  enrichmentParameters: parameters(
    "How the records are handed to the enrichment.",
    "What each record is made into before the enrichment: a text, or JSON, with <$.path> for what stands in the record and <aws.pipes.event> and other names of EventBridge Pipes.",
  ),
  targetParameters: parameters(
    "How the records are handed to the function. With it, or with an enrichment, the function gets a JSON list of records and not an event of its source.",
    "What each record, or what the enrichment made of it, is made into before the function. As that of enrichmentParameters.",
  ),
};

/** Their names, which AWS's event source mappings have not. */
export const PIPE_FIELD_NAMES: readonly string[] = Object.keys(PIPE_FIELDS);
