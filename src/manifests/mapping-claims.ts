import type { Place } from "../model/place.ts";
import type { Connector } from "../ports/connector.ts";
import type { SourceClaim, SpecFault, WrittenMapping } from "../ports/connector-parameters.ts";
import { functionArn, parseFunctionName } from "./function-name.ts";

/** What no two mappings may have in common (streams §1.6). */
export interface MappingClaim {
  /** As stores keep it. */
  readonly text: string;
  /** What is said of the second; its facts say all but which the first is. */
  readonly fault: SpecFault;
}

/** Claims of a mapping that may be wrong in parts: none of what cannot be read. */
export function claimsOf(
  mapping: WrittenMapping,
  connector: Connector | undefined,
  place?: Place,
): readonly MappingClaim[] {
  const text = mapping.raw("functionName");
  const reference = typeof text === "string" ? parseFunctionName(text) : undefined;
  const { name, qualifier = "" } = reference ?? {};
  const claims = (connector?.parameters.claims ?? arnClaims)(mapping);
  const facts = {
    functionName: name,
    functionArn: reference && place && functionArn(reference, place),
  };
  return claims
    .filter(({ isOfFunction }) => !isOfFunction || reference !== undefined)
    .map(({ key, isOfFunction, fault }) => ({
      text: JSON.stringify(isOfFunction ? [...key, name, qualifier] : key),
      fault: { ...fault, facts: { ...fault.facts, ...facts } },
    }));
}

function arnClaims(mapping: WrittenMapping): readonly SourceClaim[] {
  const arn = mapping.raw("eventSourceArn");
  if (typeof arn !== "string") return [];
  const fault = { rule: "exists", path: ["eventSourceArn"], facts: { arn } };
  return [{ key: ["source", arn], isOfFunction: true, fault }];
}
