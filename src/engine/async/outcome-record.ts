import type { LastAttempt } from "../../model/async-item.ts";
import type { MessageAttribute } from "../../model/envelope.ts";
import { isoTime } from "../../model/failure-record.ts";

/** AWS's document of how an event ended (invocation §9.3), members in AWS's order. */
export interface OutcomeRecord {
  readonly requestId: string;
  /** With its qualifier. */
  readonly functionArn: string;
  readonly condition: string;
  readonly attempts: number;
  /** JSON, as it was accepted. */
  readonly requestPayload: Uint8Array;
  /** Absent: nothing answered, and the record has no `responseContext`. */
  readonly response: LastAttempt | undefined;
  readonly timestampMs: number;
}

const EMPTY = "{}";

/**
 * Payloads go in as the JSON that they are, byte for byte. `metadata`: without them, for a destination that takes no
 * record of this size.
 */
export function outcomeText(record: OutcomeRecord, form: "whole" | "metadata"): string {
  const { requestId, functionArn, condition, attempts, requestPayload, response, timestampMs } = record;
  const requestContext = { requestId, functionArn, condition, approximateInvokeCount: attempts };
  const members = [
    `"version":"1.0"`,
    `"timestamp":${JSON.stringify(isoTime(timestampMs))}`,
    `"requestContext":${JSON.stringify(requestContext)}`,
  ];
  if (form === "whole") members.push(`"requestPayload":${oneLine(jsonText(requestPayload))}`);
  if (response !== undefined) {
    const { statusCode, executedVersion, functionError, payload } = response;
    const context = { statusCode, executedVersion, functionError };
    members.push(`"responseContext":${JSON.stringify(context)}`);
    if (form === "whole" && payload !== undefined) members.push(`"responsePayload":${oneLine(payload)}`);
  }
  return `{${members.join(",")}}`;
}

/** Ends of lines stand between the parts of JSON only: files of records have one in each line. */
export function oneLine(json: string): string {
  return json.replaceAll(/[\r\n]+/g, " ");
}

/** What was accepted, as text; an event of no bytes is an empty object. */
export function jsonText(payload: Uint8Array): string {
  return payload.length === 0 ? EMPTY : decoder.decode(payload);
}

/** It leaves out a byte order mark, which callers may send. */
const decoder = new TextDecoder();

const ERROR_MESSAGE_BYTES_MAX = 1_024;

/** Attributes of the message that a dead-letter target gets beside the event (invocation §9.3). */
export function deadLetterAttributes(
  requestId: string,
  last: LastAttempt | undefined,
): Readonly<Record<string, MessageAttribute>> {
  const { statusCode, message = "Rate Exceeded." } = last ?? {};
  return {
    RequestID: { type: "String", value: requestId },
    ...(statusCode === undefined
      ? {}
      : { ErrorCode: { type: "Number" as const, value: String(statusCode) } }),
    ErrorMessage: { type: "String", value: cutMessage(message) },
  };
}

/** AWS cuts between bytes: what is left of a character that was cut is replaced. */
function cutMessage(text: string): string {
  const bytes = new TextEncoder().encode(text.slice(0, ERROR_MESSAGE_BYTES_MAX));
  // plant: a-dead-letter-message-has-its-whole-error
  return new TextDecoder().decode(bytes.subarray(0, ERROR_MESSAGE_BYTES_MAX));
}
