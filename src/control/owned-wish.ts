import type { MappingResource } from "../manifests/resources.ts";
import type { FunctionBook } from "./function-book.ts";
import type { WantedMapping } from "./mapping-runner.ts";

/** Before the first of a row: a mapping that another process adopts meanwhile is started anew, as its row says. */
const MANIFEST_GENERATION = 0;

/** How a mapping that a manifest owns is wanted. */
export function ownedWish(resource: MappingResource, functions: FunctionBook): WantedMapping {
  const generation = functions.runKey(MANIFEST_GENERATION, resource.functionName);
  return { generation, resource, mayStart: () => true };
}
