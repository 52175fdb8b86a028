import { CONSTRAINT, UNRECOGNIZED, UNRECOGNIZED_SOURCE } from "../manifests/fault-texts.ts";
import { awsFieldName, valueAt } from "../manifests/issue-texts.ts";
import type { CheckedFault } from "../manifests/mapping-spec.ts";
import { type Owner, ownerText } from "../resources/owner.ts";

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
  | "ConflictException"
  | "DeploymentAlreadyCompletedException"
  | "DeploymentConfigDoesNotExistException"
  | "DeploymentDoesNotExistException"
  | "InvalidRevisionException"
  | "InvalidEventPatternException"
  | "LimitExceededException"
  | "ServiceQuotaExceededException"
  | "InvalidParameterValueException"
  | "PolicyLengthExceededException"
  | "PreconditionFailedException"
  | "ProvisionedConcurrencyConfigNotFoundException"
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

/** Beside its owner only what is operation, and no configuration, may be set. */
export function ownedByOther(name: string, owner: Owner): ControlFault {
  const handOver = `millrace adopt mapping/${name} --to api hands over this one alone`;
  const message =
    owner.kind === "manifest"
      ? `The event source mapping is defined by a manifest. Change the manifest, or start millrace with --adopt to have the API own it; ${handOver}. Its owner is ${ownerText(owner)}, beside which only Enabled is set.`
      : `The event source mapping is declared by ${ownerText(owner)}, beside which only Enabled is set. Change it there; ${handOver}.`;
  return new ControlFault("InvalidParameterValueException", message);
}

/** In AWS's words, which differ by the source (streams §1.6, queues §1.2). */
export function alreadyExists(message: string): ControlFault {
  return new ControlFault("ResourceConflictException", message);
}

/** One answer to all that is wrong: the front end names all of its kind at once, the service the first. */
export function specFault(
  faults: readonly CheckedFault[],
  given: Readonly<Record<string, unknown>>,
): ControlFault {
  const [first] = faults;
  if (first === undefined) return new ControlFault("InvalidParameterValueException", "Invalid request.");
  if (first.rule === "type") return new ControlFault("SerializationException", typeText(first, given));
  if (first.rule === CONSTRAINT) {
    const constraints = faults.filter(({ rule }) => rule === CONSTRAINT).map(({ message }) => message);
    return validationFault(constraints.map((message) => message.slice(ONE_ERROR.length)));
  }
  // AWS gives no reason.
  const message = first.rule === UNRECOGNIZED ? UNRECOGNIZED_SOURCE : first.message;
  return new ControlFault("InvalidParameterValueException", message);
}

/** `Value '…' at '…' failed to satisfy constraint: …` of each. */
export function validationFault(texts: readonly string[]): ControlFault {
  const count = texts.length === 1 ? ONE_ERROR : `${texts.length} validation errors detected: `;
  return new ControlFault("ValidationException", count + texts.join("; "));
}

const ONE_ERROR = "1 validation error detected: ";

function typeText({ path }: CheckedFault, given: Readonly<Record<string, unknown>>): string {
  const value = valueAt(given, path);
  if (typeof value === "object") return "Start of structure or map found where not expected.";
  const type =
    typeof value === "string" ? "STRING_VALUE" : typeof value === "number" ? "NUMBER_VALUE" : "BOOLEAN_VALUE";
  return `${type} can not be converted to the type of ${awsFieldName(path)}`;
}
