import { isDeepStrictEqual } from "node:util";
import type { NewResourceRow } from "../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, writeDocument } from "../resources/document.ts";
import { ALIAS_KIND, MAPPING_KIND, TIMED_KINDS } from "../resources/kinds.ts";
import type { ManifestOwner } from "../resources/owner.ts";
import type { Declaration } from "./function-rows.ts";
import { runSpec, transitionTo } from "./mapping-declaration.ts";
import { withRollout } from "./rollouts/declared-rollout.ts";

export interface DeclaredAs {
  readonly owner: ManifestOwner;
  /** Stands for all that the set declares. */
  readonly setDigest: string | undefined;
  readonly nowMs: number;
}

/** What the row of a declaration is to say; `undefined`: it says so already. */
export function declaredDocument(
  declaration: Declaration,
  before: ResourceDocument | undefined,
  { owner, setDigest, nowMs }: DeclaredAs,
): ResourceDocument | undefined {
  const { title, folder } = declaration;
  const spec = plain(declaration.spec);
  const named = {
    ...(title === undefined ? {} : { name: title }),
    ...(folder === undefined ? {} : { folder }),
  };
  const digest = setDigest === undefined ? {} : { setDigest };
  if (before === undefined) {
    const first = {
      ...{ form: 2 as const, ...named, spec, owner, ...digest, generation: 1, conditions: [] },
      ...standingSince(declaration.kind, nowMs),
    };
    return inTransition(declaration, undefined, { ...first, lastModifiedMs: nowMs });
  }
  const { overrides, name, folder: place, setDigest: _digest, conditions: _conditions, ...rest } = before;
  const isMoved = name !== title || place !== folder;
  const isSame = isDeepStrictEqual(before.spec, spec) && !isMoved && !isOrphaned(before);
  if (isSame && isDeepStrictEqual(before.owner, owner) && before.setDigest === setDigest) return undefined;
  const kept = keptOverrides(overrides, before.spec, spec);
  const isOther =
    declaration.kind === MAPPING_KIND
      ? isMoved || !isDeepStrictEqual(runSpec(before), runSpec({ spec }))
      : !isSame;
  const after = {
    ...rest,
    ...named,
    spec,
    owner,
    ...digest,
    ...(kept === undefined ? {} : { overrides: kept }),
    // plant: a-new-revision-restarts-all-of-its-set
    generation: before.generation + (isOther ? 1 : 0),
    ...(isOther ? standingSince(declaration.kind, nowMs) : {}),
    conditions: [],
    lastModifiedMs: nowMs,
  };
  return inTransition(
    declaration,
    before,
    declaration.kind === ALIAS_KIND ? withRollout(declaration.name, before, after, nowMs) : after,
  );
}

/** As what vanished from its set is kept: nothing of it is run. */
export function orphanedDocument(
  kind: string,
  before: ResourceDocument,
  { owner, nowMs }: Pick<DeclaredAs, "owner" | "nowMs">,
): ResourceDocument {
  const reason = `It is no longer in ${owner.set === "" ? "the manifests" : `the manifest set ${owner.set}`}.`;
  const conditions = [{ type: "Orphaned" as const, reason, sinceMs: nowMs }];
  // Nobody who has the row from before goes by it any more.
  const generation = before.generation + (TIMED_KINDS.includes(kind) ? 1 : 0);
  return inTransition({ kind }, before, { ...before, owner, conditions, generation, lastModifiedMs: nowMs });
}

/** A rate counts from here, whatever else is written of its row. */
function standingSince(kind: string, nowMs: number): Pick<ResourceDocument, "members"> {
  return TIMED_KINDS.includes(kind) ? { members: { sinceMs: nowMs } } : {};
}

export function declaredRow(
  { kind, name }: Pick<Declaration, "kind" | "name">,
  uid: string,
  claims: readonly string[],
  document: ResourceDocument,
): NewResourceRow {
  return { uid, kind, name, claims, document: writeDocument(document) };
}

/** Only what polls is carried out by all processes before it is settled. */
export function inTransition(
  { kind }: Pick<Declaration, "kind">,
  before: ResourceDocument | undefined,
  after: ResourceDocument,
): ResourceDocument {
  if (kind !== MAPPING_KIND) return after;
  const { transition: _before, ...settled } = after;
  const transition = transitionTo(before, after);
  return transition === undefined ? settled : { ...settled, transition };
}

/** An override stays until its field is declared anew, as another value. */
function keptOverrides(
  overrides: ResourceDocument["overrides"],
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  // plant: a-start-drops-what-the-api-set-beside-the-owner
  const kept = Object.entries(overrides ?? {}).filter(([field]) => {
    return isDeepStrictEqual(before[field], after[field]);
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** As it comes back from the store. */
function plain(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(spec)) as Record<string, unknown>;
}
