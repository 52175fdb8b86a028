import type { MappingResource } from "../manifests/resources.ts";
import type { FunctionBook } from "./function-book.ts";
import type { WantedMapping } from "./mapping-run.ts";

/** How a mapping that a manifest owns is wanted: as another when what the manifest says of its run is another. */
export function ownedWish(resource: MappingResource, functions: FunctionBook): WantedMapping {
  const { tags: _tags, ...spec } = resource.spec;
  const content = JSON.stringify([resource.mapping.name, spec, resource.endpoints]);
  // plant: a-reload-restarts-what-did-not-change
  const generation = `${content}/${functions.runKey(0, resource.functionName)}`;
  return { generation, resource, mayStart: () => true };
}
