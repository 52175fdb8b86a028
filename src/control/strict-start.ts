import { isDeepStrictEqual } from "node:util";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import { isSameOwner, type ManifestOwner } from "../resources/owner.ts";
import type { Deployments, OpenMapping } from "./deployments.ts";
import type { FunctionBook } from "./function-book.ts";
import { effectiveSpec } from "./function-rows.ts";
import { isWanted, mappingDocument, type RowReading, readRow } from "./mapping-record.ts";
import type { MappingRunner } from "./mapping-runner.ts";

interface StrictOptions extends RowReading {
  readonly manifests: Pick<Manifests, "mappings">;
  readonly owner: ManifestOwner;
  readonly store: ResourceStore;
  readonly deployments: Deployments;
  readonly functionBook: FunctionBook;
}

/**
 * Opens the mappings of the manifests, all or none, before anything of them is applied: what cannot run here is to
 * change nothing that runs elsewhere.
 * @throws MillraceError with all that could not be opened
 */
export async function openStrictly(options: StrictOptions): Promise<readonly OpenMapping[]> {
  const { manifests, store, deployments } = options;
  const rows = new Map((await store.list([MAPPING_KIND])).map((row) => [row.uid, row]));
  const enabled = manifests.mappings.filter(
    (resource) => resource.mapping.enabled && isToRun(rows.get(resource.mapping.uuid), options),
  );
  return deployments.openAll(enabled);
}

/** Runs what was opened, where the rows say the same; the rest is closed again. */
export async function beginStrictly(
  opened: readonly OpenMapping[],
  runner: MappingRunner,
  options: StrictOptions,
): Promise<void> {
  const { manifests, store, functionBook, connectors } = options;
  const declared = new Map(manifests.mappings.map((resource) => [resource.mapping.uuid, resource]));
  const reading = { ...options, manifestConnectors: connectors };
  for (const open of opened) {
    const { uuid } = open.deployment.mapping;
    const row = await store.get(uuid);
    const kept = row && readRow(row, reading);
    if (kept === undefined || !isWanted(kept.record) || !runsAlike(kept.resource, declared.get(uuid))) {
      await open.close();
      continue;
    }
    const { resource, record } = kept;
    const generation = functionBook.runKey(record.generation, resource);
    runner.begin(open, { generation, resource, mayStart: () => true });
  }
}

function isToRun(row: ResourceRow | undefined, { owner }: StrictOptions): boolean {
  if (row === undefined) return true;
  const document = mappingDocument(row.document);
  return (
    document !== undefined &&
    isSameOwner(document.owner, owner) &&
    // Somebody may have stopped it beside its owner.
    (document.overrides === undefined || effectiveSpec(document)["enabled"] === true)
  );
}

function runsAlike(kept: MappingResource, declared: MappingResource | undefined): boolean {
  return declared !== undefined && isDeepStrictEqual(kept.mapping, declared.mapping);
}
