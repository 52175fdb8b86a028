import type { AwsAction } from "./aws-call.ts";

/** What is known of a failed call. Texts of the service are judged, not shown: they may quote what was sent. */
export interface ServiceFault {
  /** The service's code (`AccessDenied`), or the network's (`ECONNREFUSED`). */
  readonly name: string;
  readonly message: string;
  /** `AccessDenied (HTTP 403, request 7f3a…)` */
  readonly description: string;
}

export function serviceFaultOf(error: unknown): ServiceFault {
  const name = shown(textOf(error, "code") ?? textOf(error, "name") ?? "an unknown error");
  const metadata = memberOf(error, "$metadata");
  const status = memberOf(metadata, "httpStatusCode");
  const requestId = textOf(metadata, "requestId");
  const details = [
    ...(typeof status === "number" ? [`HTTP ${status}`] : []),
    ...(requestId === undefined ? [] : [`request ${shown(requestId)}`]),
  ];
  const description = details.length === 0 ? name : `${name} (${details.join(", ")})`;
  return { name, message: textOf(error, "message") ?? "", description };
}

/** The record itself is refused, by its size or by characters that XML does not have; all else an operator can mend. */
export function isRecordRefusal({ name, message }: ServiceFault): boolean {
  if (/^(InvalidMessageContents|EntityTooLarge|KeyTooLong)/.test(name)) return true;
  return /^InvalidParameter/.test(name) && /too long|must be shorter/i.test(message);
}

/** By the fault's name; the first that fits. Services have several names for one thing. */
const REMEDIES: readonly (readonly [pattern: RegExp, remedy: (called: AwsAction) => string])[] = [
  [
    /kms/i,
    () => "Allow kms:GenerateDataKey and kms:Decrypt on the destination's KMS key, and enable the key",
  ],
  [/AccessDenied|Authorization(Error|Exception)|Forbidden|NotAuthorized/, allow],
  [
    /Credentials|Token|AccessKey|UnrecognizedClient|Signature|AuthFailure/,
    () => "Check this process's AWS credentials",
  ],
  [/TimeTooSkewed/, () => "Set this host's clock"],
  [
    /NonExistentQueue|QueueDoesNotExist|NoSuchBucket|NotFound/i,
    () => "Create it, or name one that exists as the failure destination",
  ],
  [/Redirect|LocationConstraint|HeaderMalformed/, () => "Set AWS_REGION to the region of the bucket"],
  [/Throttl|SlowDown|TooManyRequests|RequestLimit|OverLimit/, () => "Raise the quota if this goes on"],
  [
    /^(E[A-Z_]+|UND_.*|Timeout.*|NetworkingError|SyntaxError)$/,
    () => "Check the network and the endpoint, AWS_ENDPOINT_URL among its settings",
  ],
];

export function remedyOf(fault: ServiceFault, called: AwsAction): string {
  const match = REMEDIES.find(([pattern]) => pattern.test(fault.name));
  return match === undefined
    ? "If this goes on, look the error up in the service's reference"
    : match[1](called);
}

function allow({ action, resource }: AwsAction): string {
  return `Allow ${action} on ${resource} to this process's AWS credentials, also in the resource's own policy when its account is another`;
}

/** Names and ids come from the network: of them, what a code is made of. */
function shown(text: string): string {
  return text.replace(/[^\w .:/=+-]/g, "").slice(0, 100);
}

function textOf(value: unknown, name: string): string | undefined {
  const text = memberOf(value, name);
  return typeof text === "string" && text !== "" ? text : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
