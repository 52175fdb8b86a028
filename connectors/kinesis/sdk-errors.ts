import { awsFaultOf } from "../../src/aws/fault.ts";
import { describeSourceFault, withEndpoint } from "../../src/aws/source-error.ts";
import type { MillraceError } from "../../src/model/errors.ts";
import { abortedError, type FaultKind, KinesisFault } from "./kinesis-api.ts";
import type { StreamArn } from "./stream-arn.ts";

/** What the connector acts on beyond the classification of all services. */
const KINDS: Readonly<Record<string, FaultKind>> = {
  ExpiredIteratorException: "expiredIterator",
  InvalidArgumentException: "invalidArgument",
  ResourceInUseException: "resourceInUse",
};

/** What went wrong, with which call on which stream, and what to do; never a secret, never a record. */
export function toFault(
  error: unknown,
  action: string,
  { arn }: StreamArn,
  signal: AbortSignal,
): MillraceError {
  if (signal.aborted) return abortedError();
  const { fault, text, endpoint } = describeSourceFault(error, {
    action: `kinesis:${action}`,
    resource: arn,
    endpointVariable: "AWS_ENDPOINT_URL_KINESIS",
  });
  const kind =
    KINDS[awsFaultOf(error).code] ?? (fault === "throttled" || fault === "notFound" ? fault : "unavailable");
  const known = kind === "resourceInUse" ? "passing" : fault;
  return withEndpoint(new KinesisFault(kind, text, { cause: error, fault: known }), endpoint);
}
