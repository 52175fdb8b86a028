import { functionArn } from "../../manifests/function-name.ts";
import type { Place } from "../../model/place.ts";
import { type Owner, ownerText } from "../../resources/owner.ts";
import { ControlFault } from "../control-fault.ts";

export function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}

export function conflict(message: string): ControlFault {
  return new ControlFault("ResourceConflictException", message);
}

/** `qualifier`: as the caller gave it; AWS names `$LATEST` where nothing was named. */
export function noFunction(name: string, qualifier = "$LATEST", place: Place): ControlFault {
  const arn = functionArn({ name, qualifier }, place);
  return new ControlFault("ResourceNotFoundException", `Function not found: ${arn}`);
}

export function staleRevision(): ControlFault {
  const message =
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
  return new ControlFault("PreconditionFailedException", message);
}

/** Beside its owner only concurrency is set, which is operation. */
export function ownedElsewhere(name: string, owner: Owner): ControlFault {
  const where = owner.kind === "manifest" ? "Change the manifest" : "Change it there";
  return invalid(
    `The function ${name} is declared by ${ownerText(owner)}, beside which only its concurrency is set. ${where}, or hand it over: millrace adopt function/${name} --to api.`,
  );
}

/** Lambda lets nobody change or publish what is being made, or changed by another. */
export function beingChanged(name: string, isNew: boolean, place: Place): ControlFault {
  const why = isNew
    ? "The function is currently in the following state: Pending"
    : `An update is in progress for resource: ${functionArn({ name, qualifier: undefined }, place)}`;
  return conflict(`The operation cannot be performed at this time. ${why}`);
}

/** Lambda lets nobody change what is being changed; here the code was taken, and then replaced by another's. */
export function overtaken(name: string): ControlFault {
  return conflict(
    `The operation cannot be performed at this time. An update is in progress for resource: ${name} was changed by others before its version was published. Send it again.`,
  );
}

export function changedMeanwhile(): ControlFault {
  return conflict(
    "The operation cannot be performed at this time. An update is in progress for resource: the function was changed by others whenever it was written. Try again.",
  );
}
