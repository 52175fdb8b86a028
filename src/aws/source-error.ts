import { type ErrorCode, type Fault, MillraceError } from "../model/errors.ts";
import { awsFaultOf } from "./fault.ts";
import { type AwsAction, remedyOf } from "./fault-text.ts";

export interface SourceCall extends AwsAction {
  /** AWS's own words for a source that is not there: people search for them. Default: what was called found nothing. */
  readonly missingText?: string;
  /** What was called, closer than by the resource: one of its shards. */
  readonly place?: string;
}

const CODE_OF_FAULT: Readonly<Partial<Record<Fault, ErrorCode>>> = {
  throttled: "ERR_MILLRACE_SOURCE_THROTTLED",
  notFound: "ERR_MILLRACE_SOURCE_NOT_FOUND",
};

/** The code by which the ports of sources tell this fault. */
export function sourceCodeOf(fault: Fault): ErrorCode {
  return CODE_OF_FAULT[fault] ?? "ERR_MILLRACE_SOURCE_UNAVAILABLE";
}

/** An error of a client of a source, in the words of the ports of sources. */
export function sourceErrorOf(error: unknown, call: SourceCall): MillraceError {
  const { fault, text } = describeSourceFault(error, call);
  return new MillraceError(sourceCodeOf(fault), text, { cause: error, fault });
}

export function describeSourceFault(
  error: unknown,
  call: SourceCall,
): { readonly fault: Fault; readonly text: string } {
  const known = awsFaultOf(error);
  const { action, resource, place = resource, missingText } = call;
  const what =
    known.fault === "notFound" && missingText !== undefined
      ? missingText
      : `${action} on ${place} ${VERBS[known.fault] ?? "failed"} (${known.reason}).`;
  return { fault: known.fault, text: `${what} ${remedyOf(known, call)}` };
}

const VERBS: Readonly<Partial<Record<Fault, string>>> = {
  throttled: "was called too often",
  clock: "was refused for its time",
  credentials: "was refused",
  credentialsExpired: "was refused",
  denied: "was denied",
  notFound: "found nothing there",
  refused: "was refused",
};
