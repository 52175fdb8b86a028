import type { KeptManifest } from "../manifests/load-manifests.ts";
import type { ResourceKind } from "../manifests/schema.ts";
import type { ResourceRow } from "../ports/resource-store.ts";
import type { ResourceDocument } from "../resources/document.ts";
import { FUNCTION_KINDS, MAPPING_KIND, ROUTE_KIND, RULE_KIND, SCHEDULE_KIND } from "../resources/kinds.ts";

const ROWS_OF: Readonly<Record<ResourceKind, readonly string[]>> = {
  Function: FUNCTION_KINDS,
  EventSourceMapping: [MAPPING_KIND],
  Route: [ROUTE_KIND],
  Schedule: [SCHEDULE_KIND],
  Rule: [RULE_KIND],
};

/** Whether a row is of one of these. Of a function those of its versions and aliases are, too. */
export function keptRows(
  kept: readonly KeptManifest[],
): (row: Pick<ResourceRow, "kind" | "name">, document: Pick<ResourceDocument, "name">) => boolean {
  const keys = new Set(kept.flatMap(({ kind, name }) => ROWS_OF[kind].map((row) => `${row} ${name}`)));
  return (row, document) => keys.has(`${row.kind} ${titleOf(row, document)}`);
}

/** What people call it: a mapping is named by its UUID there, `FUNCTION:QUALIFIER` and `GROUP/NAME` are parts. */
export function titleOf(
  { kind, name }: Pick<ResourceRow, "kind" | "name">,
  document: Pick<ResourceDocument, "name">,
): string {
  if (FUNCTION_KINDS.includes(kind)) return name.split(":", 1)[0] ?? name;
  return document.name ?? name.slice(name.lastIndexOf("/") + 1);
}

/** The kind of a manifest that rows of this kind are of. */
export function manifestKindOf(row: string): ResourceKind | undefined {
  const kinds = Object.keys(ROWS_OF) as ResourceKind[];
  return kinds.find((kind) => ROWS_OF[kind].includes(row));
}
