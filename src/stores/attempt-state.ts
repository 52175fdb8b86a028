import { z } from "zod";
import type { AttemptState } from "../model/async-item.ts";

const text = z.string().optional();
const stateSchema = z.object({
  acceptedMs: z.number(),
  runs: z.int().nonnegative(),
  functionErrors: z.int().nonnegative(),
  throttles: z.int().nonnegative(),
  deliveryFailures: z.int().nonnegative(),
  last: z
    .object({
      statusCode: z.int(),
      functionError: text,
      executedVersion: text,
      message: text,
      payload: text,
    })
    .optional(),
  lineage: text,
  trace: z.object({ traceparent: text, tracestate: text, xray: text }).optional(),
  route: text,
  policy: z
    .object({
      maximumRetryAttempts: z.int().optional(),
      maximumEventAgeSeconds: z.int().optional(),
      deadLetterTarget: text,
    })
    .optional(),
});

export function writeAttemptState(state: AttemptState): string {
  return JSON.stringify(state);
}

/** `undefined`: no version of millrace that this one knows wrote it. */
export function readAttemptState(written: string): AttemptState | undefined {
  try {
    return stateSchema.safeParse(JSON.parse(written)).data;
  } catch {
    return undefined;
  }
}
