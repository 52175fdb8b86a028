import { faultText } from "../manifests/fault-texts.ts";
import { claimsOf as claimsOfMapping } from "../manifests/mapping-claims.ts";
import { connectorOf } from "../manifests/mapping-source.ts";
import type { MappingResource } from "../manifests/resources.ts";
import { writtenMapping } from "../manifests/written-mapping.ts";
import type { Connector } from "../ports/connector.ts";
import type { SpecFault } from "../ports/connector-parameters.ts";
import { alreadyExists, type ControlFault } from "./control-fault.ts";

export interface Claimant {
  readonly uuid: string;
  readonly claims: readonly string[];
}

/** What no two mappings may have in common, as stores keep it. */
export function claimsOf(
  spec: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
): readonly string[] {
  const claims = claimsOfMapping(writtenMapping(spec, ""), connectorOf(spec, connectors));
  return [...new Set(claims.map(({ text }) => text))];
}

/** The refusal of a mapping that has a claim in common with one of the others. */
export function conflictOf(resource: MappingResource, others: readonly Claimant[]): ControlFault | undefined {
  const claims = claimsWithFaults(resource);
  for (const { uuid, claims: taken } of others) {
    // What is of one mapping alone is the narrower reason.
    const rival = claims.findLast(({ text }) => taken.includes(text));
    if (rival === undefined) continue;
    const fault = { ...rival.fault, facts: { ...rival.fault.facts, uuid } };
    return alreadyExists(faultText(fault, resource.connector.parameters.texts).message);
  }
  return undefined;
}

/** The refusal that the store's own claims make, whoever else wrote at the same moment. */
export function takenBy(resource: MappingResource, uuid: string): ControlFault {
  const [first] = claimsWithFaults(resource);
  const fault: SpecFault = first?.fault ?? { rule: "exists", path: [] };
  const facts = { ...fault.facts, uuid };
  return alreadyExists(faultText({ ...fault, facts }, resource.connector.parameters.texts).message);
}

function claimsWithFaults({ spec, connector, mapping }: MappingResource) {
  const claims = claimsOfMapping(writtenMapping(spec, ""), connector);
  const { functionArn } = mapping;
  return claims.map(({ text, fault }) => ({
    text,
    fault: { ...fault, facts: { ...fault.facts, functionArn } },
  }));
}
