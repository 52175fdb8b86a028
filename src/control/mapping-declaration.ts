import { withoutDefaults } from "../manifests/mapping-spec.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { Connector } from "../ports/connector.ts";
import { isOrphaned, type ResourceDocument } from "../resources/document.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import { type Declaration, effectiveSpec } from "./function-rows.ts";
import { claimsOf } from "./mapping-claims.ts";

/**
 * The row that a manifest's mapping is, under the UUID that its checkpoints have. Places of the mapping itself are
 * absolute; what its connector's own fields name starts from the manifest's folder, which is kept for that.
 */
export function mappingDeclaration(
  resource: MappingResource,
  connectors: readonly Connector[],
): Declaration & { readonly title: string } {
  const { mapping, tags, endpoints, settings } = resource;
  const { uuid: _uuid, enabled, tags: _tags, endpoints: _endpoints, ...fields } = resource.spec;
  const destination = resource.kind === "queue" ? undefined : resource.destination?.uri;
  const spec = {
    ...withoutDefaults(fields, connectors),
    ...(Object.keys(endpoints).length === 0 ? {} : { endpoints }),
    ...(destination === undefined ? {} : { destinationConfig: { onFailure: { destination } } }),
  };
  const { own = {}, folder } = settings;
  const hasOwn = Object.keys(own).length > 0;
  return {
    kind: MAPPING_KIND,
    name: mapping.uuid,
    title: mapping.name,
    spec: { ...spec, tags: { ...tags }, enabled },
    claims: claimsOf(spec, connectors),
    ...(hasOwn && folder !== undefined ? { folder } : {}),
  };
}

/** Polling is wanted. */
export function wantsPolling(document: ResourceDocument): boolean {
  return (
    effectiveSpec(document)["enabled"] === true && document.transition !== "Deleting" && !isOrphaned(document)
  );
}

/** What all processes have to carry out, once a mapping is as `after` says. */
export function transitionTo(
  before: ResourceDocument | undefined,
  after: ResourceDocument,
): string | undefined {
  const [was, is] = [before !== undefined && wantsPolling(before), wantsPolling(after)];
  // Each process says of itself how far it is with one that is new; nobody waits for the others.
  if (before === undefined) return undefined;
  if (was !== is) return is ? "Enabling" : "Disabling";
  if (is && before.generation !== after.generation) return "Updating";
  return before.transition;
}

/** Its run is as before: tags are of none, and to be enabled is no change of what runs. */
export function runSpec({ spec }: Pick<ResourceDocument, "spec">): Readonly<Record<string, unknown>> {
  const { tags: _tags, enabled: _enabled, ...run } = spec;
  return run;
}
