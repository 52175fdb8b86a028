import { ANSWER_MS_MAX, callAws as callService } from "../aws/call.ts";
import { type AwsFault, awsFaultOf } from "../aws/fault.ts";
import { remedyOf, type AwsAction as ServiceAction } from "../aws/fault-text.ts";
import { MillraceError } from "../model/errors.ts";
import { isRecordRefusal } from "./record-refusal.ts";

/** What is called, for messages. */
export interface AwsAction extends ServiceAction {
  /** The destination's. */
  readonly arn: string;
}

/** Enough for the largest event on a slow line; a service that takes longer is asked again by the engine. */
export const CALL_MS_MAX = ANSWER_MS_MAX;

/**
 * Makes one call, without retries: the engine retries, and counts what it sees.
 *
 * @throws MillraceError `ERR_MILLRACE_DESTINATION_UNAVAILABLE`, which includes denied access and what does not exist,
 * since an operator can mend both (decision 0003); `ERR_MILLRACE_DESTINATION_REJECTED` when the service finds the
 * record too large or its text not allowed; `ERR_MILLRACE_ABORTED`.
 */
export async function callAws<Answer>(
  called: AwsAction,
  signal: AbortSignal,
  timeoutMs: number,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  if (signal.aborted) throw aborted(called);
  try {
    return await callService(signal, { timeoutMs }, send);
  } catch (error) {
    if (signal.aborted) throw aborted(called);
    throw error instanceof MillraceError ? error : failureOf(called, error);
  }
}

/** Says of a record that this destination can never take it. */
export function tooLarge(arn: string, bytes: number, bytesMax: number): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_REJECTED",
    `A failure record of ${bytes} bytes is too large for ${arn}, which takes at most ${bytesMax}. ` +
      "Name an S3 bucket as the failure destination: its objects may be larger.",
  );
}

/**
 * What a service says when it has a record: an answer without it may be anybody's, as of a proxy that asks for a login,
 * and the record is nowhere.
 */
export function checkReceipt(called: AwsAction, receipt: string | undefined): void {
  // plant: an-answer-without-a-receipt-counts-as-delivered
  if (receipt !== undefined) return;
  throw new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    `A failure record may not have come to ${called.arn}: ${called.action} was answered without a receipt. ` +
      `Look what answers there, and at ${called.endpointVariable} if it is set; delivery is tried again.`,
  );
}

export function closed(arn: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    `A failure record was not delivered to ${arn}: the destination is closed. Open it again.`,
  );
}

function failureOf(called: AwsAction, error: unknown): MillraceError {
  const fault = awsFaultOf(error);
  const what = `A failure record was not accepted by ${called.arn}: ${called.action} failed (${fault.reason})`;
  if (isRecordRefusal(error)) {
    return new MillraceError(
      "ERR_MILLRACE_DESTINATION_REJECTED",
      `${what}, which another try would not change. Check the destination's limits; an S3 bucket takes the most.`,
      { cause: error },
    );
  }
  const isTold = fault.fault === "passing" || fault.fault === "throttled";
  const text = `${what}. ${destinationRemedy(fault, called)}${isTold ? "" : " Delivery is tried again."}`;
  return new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", text, {
    cause: error,
    fault: fault.fault,
  });
}

function destinationRemedy(fault: AwsFault, called: AwsAction): string {
  if (/Redirect|LocationConstraint|HeaderMalformed/.test(fault.code)) {
    return "Set AWS_REGION to the region of the bucket.";
  }
  const create =
    fault.fault === "notFound" ? "Create it, or name one that exists as the failure destination. " : "";
  return create + remedyOf(fault, called);
}

function aborted({ arn }: AwsAction): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_ABORTED",
    `The caller stopped the delivery of a failure record to ${arn}.`,
  );
}
