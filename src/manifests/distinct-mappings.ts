import type { SpecFault } from "../ports/connector-parameters.ts";
import { faultText } from "./fault-texts.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import type { MappingContext } from "./mapping-checks.ts";
import { claimsOf } from "./mapping-claims.ts";
import { connectorOf } from "./mapping-source.ts";
import { mappingUuid } from "./mapping-uuid.ts";
import { writtenMapping } from "./written-mapping.ts";

/** No two mappings with the same leases and checkpoints, and none that have a claim in common. */
export function checkMappingsDistinct(
  mappings: readonly ManifestDocument[],
  context: Pick<MappingContext, "connectors" | "place">,
): void {
  checkUuids(mappings);
  checkClaims(mappings, context);
}

function checkUuids(mappings: readonly ManifestDocument[]): void {
  const known = new Set<string>();
  for (const mapping of mappings) {
    const uuid = uuidOf(mapping);
    if (uuid === undefined) continue;
    if (known.has(uuid) && mapping.raw("spec", "uuid") !== undefined) {
      const remedy = "Give each mapping a uuid of its own, or leave the field out";
      mapping.report(["spec", "uuid"], `Another mapping has the UUID ${uuid}`, remedy);
    }
    known.add(uuid);
  }
}

/** Each kind of fault once, however many claims of it two mappings share. */
function checkClaims(
  mappings: readonly ManifestDocument[],
  { connectors, place }: Pick<MappingContext, "connectors" | "place">,
): void {
  const known = new Map<string, ManifestDocument>();
  for (const mapping of mappings) {
    const written = writtenMapping(mapping.raw("spec"), mapping.folder);
    const [eventSourceArn, selfManagedEventSource] = [
      written.raw("eventSourceArn"),
      written.raw("selfManagedEventSource"),
    ];
    const endpoints = written.raw("endpoints");
    const connector = connectorOf({ eventSourceArn, selfManagedEventSource, endpoints }, connectors);
    const faults = new Map<string, SpecFault>();
    for (const { text, fault } of claimsOf(written, connector, place)) {
      const other = known.get(text);
      if (other === undefined) known.set(text, mapping);
      else if (!faults.has(fault.rule)) {
        const facts = { ...fault.facts, uuid: uuidOf(other) ?? "", at: other.position };
        faults.set(fault.rule, { ...fault, facts });
      }
    }
    for (const fault of faults.values()) {
      const { message, remedy } = faultText(fault, connector?.parameters.texts);
      mapping.report(["spec", ...fault.path], message, remedy, fault.part);
    }
  }
}

function uuidOf(mapping: ManifestDocument): string | undefined {
  const uuid = mapping.raw("spec", "uuid");
  if (typeof uuid === "string") return uuid.toLowerCase();
  return mapping.name === undefined ? undefined : mappingUuid(mapping.name);
}
