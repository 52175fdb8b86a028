import { buildResources, checkTogether, type Manifests } from "./load-manifests.ts";
import { type ManifestDocument, readManifestDocument } from "./manifest-document.ts";
import type { MappingContext } from "./mapping-checks.ts";
import type { ManifestProblem } from "./problem.ts";
import { manifestSchemas, type ResourceKind } from "./schema.ts";
import type { YamlDocument } from "./yaml-documents.ts";

/** A manifest document that comes by itself, and not as a part of a file. */
export interface ManifestObject {
  /** Names it, for people: `EventSourceMapping shop/orders`. No two have the same. */
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly value: unknown;
}

export interface LoadedObjects {
  /** What those that are sound declare. */
  readonly manifests: Manifests;
  /** By id, of those that are not: what is wrong, at least one. */
  readonly problems: ReadonlyMap<string, readonly ManifestProblem[]>;
}

/**
 * Checks objects as manifests are checked, each for itself: one that is wrong, or that names what is wrong, is left out
 * and the others are taken. Where two are in each other's way the first counts. `folder`: what relative paths start
 * from.
 */
export function loadObjects(
  objects: readonly ManifestObject[],
  context: MappingContext,
  folder: string,
): LoadedObjects {
  const schemas = manifestSchemas(context.connectors);
  const problems = new Map<string, readonly ManifestProblem[]>();
  const refused = new Set<string>();
  let sound = objects;
  // Each turn leaves out one at least.
  for (;;) {
    const found: ManifestProblem[] = [];
    const documents: ManifestDocument[] = [];
    for (const { id, value } of sound) {
      const document = readManifestDocument(wholeOf(value), { file: id, folder }, schemas, found);
      if (document !== undefined) documents.push(document);
    }
    checkTogether(documents, context, { isWhole: true, refused });
    if (found.length === 0) return { manifests: buildResources(documents, context), problems };
    for (const [id, all] of Map.groupBy(found, ({ file }) => file)) problems.set(id, all);
    for (const { id, kind, name } of sound) if (kind === "Function" && problems.has(id)) refused.add(name);
    sound = sound.filter(({ id }) => !problems.has(id));
  }
}

/** It stands in no file. */
function wholeOf(value: unknown): YamlDocument {
  return { value, place: () => ({ line: 1, column: 1 }) };
}
