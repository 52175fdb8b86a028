import { awsFieldName, valueAt } from "../manifests/issue-texts.ts";
import type { SpecFault } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";

/**
 * A refusal of the control plane, in AWS's words (streams §1.2): the names are the API's error codes and the message is
 * what a caller of AWS would read. Not a `MillraceError`, whose messages say what to do about this process.
 */
export class ControlFault extends Error {
  readonly fault: FaultName;

  constructor(fault: FaultName, message: string) {
    super(message);
    this.name = "ControlFault";
    this.fault = fault;
  }
}

export type FaultName =
  | "InvalidParameterValueException"
  | "ResourceConflictException"
  | "ResourceInUseException"
  | "ResourceNotFoundException"
  | "ServiceException"
  /** The wire's form is wrong: a text where a number belongs. */
  | "SerializationException"
  /** A value is outside its range or set. */
  | "ValidationException";

export function notFound(): ControlFault {
  return new ControlFault("ResourceNotFoundException", "The resource you requested does not exist.");
}

export function inUse(verb: "update" | "delete"): ControlFault {
  const message = `Cannot ${verb} the event source mapping because it is in use.`;
  return new ControlFault("ResourceInUseException", message);
}

export function ownedByManifest(): ControlFault {
  return new ControlFault(
    "InvalidParameterValueException",
    "The event source mapping is defined by a manifest. Change the manifest, or start millrace with --adopt to have the API own it.",
  );
}

/** AWS's texts, which differ by the source (streams §1.6, queues §1.2). */
export function alreadyExists(resource: MappingResource, uuid: string): ControlFault {
  const message = `${existing(resource)} Please update or delete the existing mapping with UUID ${uuid}`;
  return new ControlFault("ResourceConflictException", message);
}

/** AWS documents that a consumer group is of one mapping, and not what it says of a second. */
export function groupTaken(group: string, uuid: string): ControlFault {
  const message = `An event source mapping with consumer group id ("${group}") already exists. Please update or delete the existing mapping with UUID ${uuid}`;
  return new ControlFault("ResourceConflictException", message);
}

function existing(resource: MappingResource): string {
  const { eventSourceArn, functionName, functionArn } = resource.mapping;
  switch (resource.kind) {
    case "queue":
      return `An event source mapping with SQS arn (" ${eventSourceArn} ") and function (" ${functionName} ") already exists.`;
    case "stream":
      return `The event source arn (" ${eventSourceArn} ") and function (" ${functionName} ") provided mapping already exists.`;
    case "topic": {
      const { bootstrapServers, topic } = resource.mapping;
      const source = eventSourceArn ?? bootstrapServers.join(",");
      return `An event source mapping with event source ("${source}"), function ("${functionArn}"), topics ("${topic}") already exists.`;
    }
  }
}

/** One answer to all that is wrong: the front end names all of its kind at once, the service the first. */
export function specFault(
  faults: readonly SpecFault[],
  given: Readonly<Record<string, unknown>>,
): ControlFault {
  const [first] = faults;
  if (first === undefined) return new ControlFault("InvalidParameterValueException", "Invalid request.");
  if (first.kind === "type") return new ControlFault("SerializationException", typeText(first, given));
  if (first.kind === "constraint") {
    const constraints = faults.filter(({ kind }) => kind === "constraint").map(({ message }) => message);
    return validationFault(constraints.map((message) => message.slice(ONE_ERROR.length)));
  }
  const message = first.message.startsWith(UNRECOGNIZED) ? UNRECOGNIZED : first.message;
  return new ControlFault("InvalidParameterValueException", message);
}

/** `Value '…' at '…' failed to satisfy constraint: …` of each. */
export function validationFault(texts: readonly string[]): ControlFault {
  const count = texts.length === 1 ? ONE_ERROR : `${texts.length} validation errors detected: `;
  return new ControlFault("ValidationException", count + texts.join("; "));
}

const ONE_ERROR = "1 validation error detected: ";
const UNRECOGNIZED = "Unrecognized event source.";

function typeText({ path }: SpecFault, given: Readonly<Record<string, unknown>>): string {
  const value = valueAt(given, path);
  if (typeof value === "object") return "Start of structure or map found where not expected.";
  const type =
    typeof value === "string" ? "STRING_VALUE" : typeof value === "number" ? "NUMBER_VALUE" : "BOOLEAN_VALUE";
  return `${type} can not be converted to the type of ${awsFieldName(path)}`;
}
