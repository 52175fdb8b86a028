import { isOrphaned, type ResourceDocument } from "../resources/document.ts";
import { type Drift, declaredPart, differences, shownSpec } from "../resources/drift.ts";
import { type Owner, ownerText } from "../resources/owner.ts";
import { type Declaration, effectiveSpec } from "./function-rows.ts";

/** What changes hands, and what that changes. */
export interface Adoption {
  readonly adopted: readonly { readonly kind: string; readonly name: string; readonly from: string }[];
  /** Field by field, before it is done. */
  readonly changes: readonly Drift[];
}

/** What a set of manifests declares, as far as this process knows. */
export interface SetContent {
  readonly set: string;
  readonly declarations: readonly Declaration[];
}

interface Adoptable {
  readonly kind: string;
  /** As people call it. */
  readonly name: string;
  readonly document: ResourceDocument;
  readonly row: { readonly name: string };
}

/**
 * What another owner takes over: what was set beside the former is then declared, an orphan is run again, and a set of
 * manifests that declares something else applies that when it is read next.
 */
export function adoptionOf(
  family: readonly Adoptable[],
  owner: Owner,
  content: SetContent | undefined,
): Adoption {
  const declarations =
    owner.kind === "manifest" && owner.set === content?.set ? content.declarations : undefined;
  return {
    adopted: family.map(({ kind, name, document }) => ({ kind, name, from: ownerText(document.owner) })),
    changes: family.flatMap((each) => [
      ...changesOf(each, owner),
      ...(declarations === undefined ? [] : pending(each, owner, declarations)),
    ]),
  };
}

function changesOf({ kind, name, document }: Adoptable, owner: Owner): readonly Drift[] {
  const { overrides = {}, spec } = document;
  const back = { kind, name, reason: "It is an orphan, and is run again." };
  return [
    ...(isOrphaned(document) ? [back] : []),
    ...Object.entries(overrides).map(([field, inForce]) => ({
      kind,
      name,
      field,
      declared: spec[field],
      inForce,
      reason: `It was set by the API, and becomes what ${ownerText(owner)} declares.`,
    })),
  ];
}

function pending(
  { kind, name, document, row }: Adoptable,
  owner: Owner,
  declarations: readonly Declaration[],
): readonly Drift[] {
  const found = declarations.find((each) => each.kind === kind && each.name === row.name);
  if (found === undefined) {
    const reason = "It is not in these manifests: it is an orphan once they are read again.";
    return [{ kind, name, reason }];
  }
  const spec: Readonly<Record<string, unknown>> = JSON.parse(JSON.stringify(found.spec));
  const kept = {
    spec: declaredPart(shownSpec(effectiveSpec(document))),
    owner: ownerText(owner),
    isOrphaned: false,
  };
  return differences([{ kind, name, declared: shownSpec(spec), kept }]).map((drift) => ({
    ...drift,
    reason: "It is applied once the manifests are read again.",
  }));
}
