import type { Manifests } from "../manifests/load-manifests.ts";
import type { Clock } from "../ports/clock.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { FUNCTION_KINDS } from "../resources/kinds.ts";
import { type ManifestOwner, ownerText, revisionOf } from "../resources/owner.ts";
import type { FunctionBook } from "./function-book.ts";
import { declarationsOf, functionsOf } from "./function-rows.ts";
import { applySet, type SetReport } from "./manifest-set.ts";

interface DeclaredFunctionsOptions {
  readonly manifests: Pick<Manifests, "functions">;
  readonly owner: ManifestOwner;
  readonly functionBook: FunctionBook;
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "log">;
}

/**
 * Writes the functions of the manifests as rows, once, and has this process know the functions that the rows then say.
 * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
 */
export async function declareFunctions(options: DeclaredFunctionsOptions): Promise<void> {
  const { manifests, owner, functionBook, store, clock } = options;
  const declarations = manifests.functions.flatMap(declarationsOf);
  tell(await applySet({ store, owner, declarations, nowMs: clock.now() }), options);
  await functionBook.declare(functionsOf(await store.list(FUNCTION_KINDS)).functions);
}

function tell(
  { refusals, newerRevision }: SetReport,
  { owner, telemetry }: Pick<DeclaredFunctionsOptions, "owner" | "telemetry">,
): void {
  if (newerRevision !== undefined) {
    const message = "a newer revision of these manifests was applied before: what it declares stays in force";
    telemetry.log("warn", message, { set: owner.set, revision: revisionOf(owner), newerRevision });
  }
  for (const { kind, name, owner: other } of refusals) {
    const text = ownerText(other);
    const message = `the ${kind} ${name} is declared by ${text}, and stays as it is: take it out of these manifests, or name their set (--manifest-set)`;
    telemetry.log("error", message, { [kind]: name, owner: text });
  }
}
