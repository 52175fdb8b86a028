import { type ErrorCode, type Fault, MillraceError } from "../model/errors.ts";
import { awsFaultOf } from "./fault.ts";
import { type AwsAction, isNobodyThere, remedyOf } from "./fault-text.ts";

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
  const { fault, text, endpoint } = describeSourceFault(error, call);
  return withEndpoint(new MillraceError(sourceCodeOf(fault), text, { cause: error, fault }), endpoint);
}

/**
 * Notes in the error, as its member `endpoint`, that whoever else asks there fails alike: they wait and wake together.
 */
export function withEndpoint<E extends MillraceError>(error: E, endpoint: string | undefined): E {
  return endpoint === undefined ? error : Object.assign(error, { endpoint });
}

export function describeSourceFault(
  error: unknown,
  call: SourceCall,
): { readonly fault: Fault; readonly text: string; readonly endpoint: string | undefined } {
  const known = awsFaultOf(error);
  const { action, resource, place = resource, missingText } = call;
  const what =
    known.fault === "notFound" && missingText !== undefined
      ? missingText
      : `${action} on ${place} ${VERBS[known.fault] ?? "failed"} (${known.reason}).`;
  const isAway = isNobodyThere(known) || known.status === 503;
  const text = `${what} ${remedyOf(known, call)}`;
  return { fault: known.fault, text, endpoint: isAway ? endpointOf(call) : undefined };
}

/** As the environment names it, or the service and the region of the ARN. */
function endpointOf({ endpointVariable, resource }: SourceCall): string {
  const [, , service, region] = resource.split(":");
  return process.env[endpointVariable] ?? process.env["AWS_ENDPOINT_URL"] ?? `${service}.${region}`;
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
