import { createHash } from "node:crypto";
import type { FunctionResource } from "../../manifests/resources.ts";
import type { ResourceRow, ResourceStore } from "../../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument } from "../../resources/document.ts";
import {
  ALIAS_KIND,
  FUNCTION_KIND,
  FUNCTION_KINDS,
  INVOKE_CONFIG_KIND,
  PROVISIONED_KIND,
  VERSION_KIND,
} from "../../resources/kinds.ts";
import { functionsOf } from "../function-rows.ts";

/** A row of a function, a version or an alias, as it was read. */
export interface KeptRow {
  readonly row: ResourceRow;
  readonly document: ResourceDocument;
}

/** A function with its versions by number and its aliases by name, as rows have them at one moment. */
export interface KeptFunction extends KeptRow {
  readonly name: string;
  readonly resource: FunctionResource;
  readonly versions: ReadonlyMap<string, KeptRow>;
  readonly aliases: ReadonlyMap<string, KeptRow>;
  /** By version or alias. */
  readonly provisioned: ReadonlyMap<string, KeptRow>;
  /** By qualifier; `$LATEST` for the function itself. */
  readonly invokeConfigs: ReadonlyMap<string, KeptRow>;
}

/** By name, in the order of names; those that are orphaned, or that cannot be read, are not among them. */
export async function keptFunctions(
  store: Pick<ResourceStore, "list">,
): Promise<ReadonlyMap<string, KeptFunction>> {
  const rows = await store.list(FUNCTION_KINDS);
  const resources = new Map(functionsOf(rows).functions.map((fn) => [fn.name, fn]));
  const kept = rows.flatMap((row) => {
    const document = readDocument(row.document);
    return document === undefined || isOrphaned(document) ? [] : [{ row, document }];
  });
  const functions = kept.flatMap((each): KeptFunction[] => {
    const { name, kind } = each.row;
    const resource = resources.get(name);
    if (kind !== FUNCTION_KIND || resource === undefined) return [];
    return [
      {
        ...each,
        name,
        resource,
        versions: partsOf(kept, VERSION_KIND, name),
        aliases: partsOf(kept, ALIAS_KIND, name),
        provisioned: partsOf(kept, PROVISIONED_KIND, name),
        invokeConfigs: partsOf(kept, INVOKE_CONFIG_KIND, name),
      },
    ];
  });
  return new Map(functions.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((fn) => [fn.name, fn]));
}

function partsOf(kept: readonly KeptRow[], kind: string, fn: string): ReadonlyMap<string, KeptRow> {
  const prefix = `${fn}:`;
  const parts = kept.filter(({ row }) => row.kind === kind && row.name.startsWith(prefix));
  const byName = parts.map((each) => [each.row.name.slice(prefix.length), each] as const);
  return new Map(
    byName.toSorted(([a], [b]) => (kind === VERSION_KIND ? Number(a) - Number(b) : a < b ? -1 : 1)),
  );
}

/** Another one after each change of the row: what a caller saw is told apart from what is there. */
export function revisionIdOf({ uid, version }: Pick<ResourceRow, "uid" | "version">): string {
  const hex = createHash("sha256").update(`${uid}/${version}`).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
