import type { ResourceRow } from "../ports/resource-store.ts";
import { readDocument } from "../resources/document.ts";
import { INVOKE_CONFIG_KIND, PROVISIONED_KIND } from "../resources/kinds.ts";
import { provisionedIn } from "./function-rows.ts";

/** Something that runs and that no manifest can say. */
export interface UnexportedPart {
  readonly kind: "Function";
  /** The function's. */
  readonly name: string;
  /** For people. */
  readonly message: string;
}

/** What the API has set of functions and manifests have no field for: one for each thing, by the functions' names. */
export function unexportedParts(rows: readonly ResourceRow[]): readonly UnexportedPart[] {
  const parts = rows.flatMap((row): UnexportedPart[] => {
    const [name = "", qualifier = ""] = row.name.split(":");
    const of = (message: string): UnexportedPart[] => [{ kind: "Function", name, message }];
    const asked = readDocument(row.document);
    if (row.kind === PROVISIONED_KIND) {
      const count = provisionedIn(asked?.spec);
      if (count === undefined) return [];
      return of(`No manifest says its provisioned concurrency of ${qualifier} (${count}), which is left out`);
    }
    if (row.kind !== INVOKE_CONFIG_KIND || !/^\d+$/.test(qualifier)) return [];
    return of(`No manifest says how calls of its version ${qualifier} are tried again, which is left out`);
  });
  return parts.toSorted((a, b) => (a.name + a.message < b.name + b.message ? -1 : 1));
}
