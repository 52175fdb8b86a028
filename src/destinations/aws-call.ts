import { Failing, firstOf } from "../lib/first-of.ts";
import { MillraceError } from "../model/errors.ts";
import { isRecordRefusal, remedyOf, serviceFaultOf } from "./aws-fault.ts";

/** What is called, for messages. */
export interface AwsAction {
  /** Of the destination. */
  readonly arn: string;
  /** The IAM action: `s3:PutObject` */
  readonly action: string;
  /** What the action is to be allowed on: `arn:aws:s3:::bucket/*` */
  readonly resource: string;
}

/** Enough for the largest event on a slow line; a service that takes longer is asked again by the engine. */
export const CALL_MS_MAX = 30_000;

/**
 * Makes one call, without retries: the engine retries, and counts what it sees.
 * `send` gets the signal that ends its request, at the caller's abort or after `timeoutMs`; this returns then also when
 * `send` does not, as while credentials are sought.
 *
 * @throws MillraceError `ERR_MILLRACE_DESTINATION_UNAVAILABLE`, which includes denied access and what does not exist,
 * since an operator can mend both (decision 0003); `ERR_MILLRACE_DESTINATION_REJECTED` when the service finds the record
 * too large or its text not allowed; `ERR_MILLRACE_ABORTED`.
 */
export async function callAws<Answer>(
  called: AwsAction,
  signal: AbortSignal,
  timeoutMs: number,
  send: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  if (signal.aborted) throw aborted(called);
  const request = new AbortController();
  const ending = new Failing();
  const endWith = (error: MillraceError) => {
    ending.fail(error);
    request.abort();
  };
  const onAbort = () => endWith(aborted(called));
  const timer = setTimeout(() => endWith(timedOut(called, timeoutMs)), timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await firstOf(send(request.signal), ending.whenFailed);
  } catch (error) {
    throw error instanceof MillraceError ? error : failureOf(called, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Of a record that this destination can never take. */
export function tooLarge(arn: string, bytes: number, bytesMax: number): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_REJECTED",
    `A failure record of ${bytes} bytes is too large for ${arn}, which takes at most ${bytesMax}. ` +
      "Name an S3 bucket as the failure destination: its objects may be larger.",
  );
}

export function closed(arn: string): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_DESTINATION_UNAVAILABLE",
    `A failure record was not delivered to ${arn}: the destination is closed. Open it again.`,
  );
}

function failureOf(called: AwsAction, error: unknown): MillraceError {
  const fault = serviceFaultOf(error);
  const what = `A failure record was not accepted by ${called.arn}: ${called.action} failed with ${fault.description}`;
  if (isRecordRefusal(fault)) {
    return new MillraceError(
      "ERR_MILLRACE_DESTINATION_REJECTED",
      `${what}, which another try would not change. Check the destination's limits; an S3 bucket takes the most.`,
      { cause: error },
    );
  }
  return unavailable(`${what}. ${remedyOf(fault, called)}`, error);
}

function timedOut({ action, arn }: AwsAction, timeoutMs: number): MillraceError {
  return unavailable(
    `A failure record was not accepted by ${arn}: ${action} did not answer within ${timeoutMs} ms. ` +
      "Check the network and the endpoint",
  );
}

function unavailable(text: string, cause?: unknown): MillraceError {
  return new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", `${text}; delivery is tried again.`, {
    cause,
  });
}

function aborted({ arn }: AwsAction): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_ABORTED",
    `The caller stopped the delivery of a failure record to ${arn}.`,
  );
}
