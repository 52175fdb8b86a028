import { withoutDefaults } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector } from "../ports/connector.ts";
import type { MappingRecord } from "./mapping-record.ts";

/** A mapping of a manifest as the API's own. */
export function adoptedRecord(
  resource: MappingResource,
  { connectors, clock }: { readonly connectors: readonly Connector[]; readonly clock: Clock },
): MappingRecord {
  const { mapping, tags, endpoints } = resource;
  const { uuid: _uuid, enabled, tags: _tags, endpoints: _endpoints, ...spec } = resource.spec;
  const destination = resource.kind === "queue" ? undefined : resource.destination?.uri;
  return {
    name: mapping.name,
    spec: {
      ...withoutDefaults(spec, connectors),
      ...(Object.keys(endpoints).length === 0 ? {} : { endpoints }),
      ...(destination === undefined ? {} : { destinationConfig: { onFailure: { destination } } }),
    },
    tags: { ...tags },
    isEnabled: enabled,
    owner: { kind: "api", isAdopted: true },
    transition: "Creating",
    generation: 1,
    lastModifiedMs: clock.now(),
  };
}
