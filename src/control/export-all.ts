import type { Connector } from "../ports/connector.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import { DECLARED_KINDS, PROVISIONED_KIND } from "../resources/kinds.ts";
import { type ExportedResource, exportedResources } from "./exported-resources.ts";
import { type UnexportedPart, unexportedParts } from "./unexported.ts";

export interface Exported {
  readonly resources: readonly ExportedResource[];
  /** What runs, and no manifest can say. */
  readonly unsaid: readonly UnexportedPart[];
}

/** All that runs, as the manifests that declare it. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
export async function exportAll(
  store: Pick<ResourceStore, "list">,
  connectors: readonly Connector[],
): Promise<Exported> {
  const rows = await store.list([...DECLARED_KINDS, PROVISIONED_KIND]);
  return { resources: exportedResources(rows, connectors), unsaid: unexportedParts(rows) };
}
