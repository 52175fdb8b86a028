import type { FastifyRequest } from "fastify";
import { type ControlFault, validationFault } from "../../control/control-fault.ts";
import { invalid } from "../../control/functions/function-faults.ts";
import { parseFunctionName } from "../../manifests/function-name.ts";
import { paramOf, queryOf } from "../route.ts";

export interface RequestedName {
  readonly name: string;
  /** The name may bring it, or the query. */
  readonly qualifier: string | undefined;
}

/** @throws ControlFault ValidationException for what cannot be the name of any function */
export function requestedName(request: FastifyRequest): RequestedName {
  const { name, qualifier: derived } = parsedName(paramOf(request, "name"));
  const given = queryOf(request, "Qualifier");
  if (given !== undefined && !QUALIFIER.test(given)) throw malformed("qualifier", given, QUALIFIER_PATTERN);
  if (given !== undefined && derived !== undefined && given !== derived)
    throw invalid("The derived qualifier from the function name does not match the specified qualifier.");
  return { name, qualifier: given ?? derived };
}

export function parsedName(text: string): RequestedName {
  const reference = parseFunctionName(text);
  if (reference === undefined) throw malformed("functionName", text, NAME_PATTERN);
  return reference;
}

/** For operations that are of all versions together. @throws ControlFault */
export function unqualifiedName(request: FastifyRequest): string {
  const { name, qualifier } = requestedName(request);
  if (qualifier === undefined) return name;
  throw invalid(
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. " +
      "Please specify either a function name or an unqualified function ARN.",
  );
}

/** AWS's patterns, as its texts show them. */
const NAME_PATTERN =
  "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
const QUALIFIER_PATTERN = "(|[a-zA-Z0-9$_-]+)";
const QUALIFIER = /^[A-Za-z0-9$_-]{1,128}$/;
const SHOWN_CHARS_MAX = 140;

function malformed(field: string, text: string, pattern: string): ControlFault {
  const constraint = `Member must satisfy regular expression pattern: ${pattern}`;
  const shown = text.slice(0, SHOWN_CHARS_MAX);
  return validationFault([`Value '${shown}' at '${field}' failed to satisfy constraint: ${constraint}`]);
}
