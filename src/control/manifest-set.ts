import { isDeepStrictEqual } from "node:util";
import { MillraceError } from "../model/errors.ts";
import type { NewResourceRow, ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument, writeDocument } from "../resources/document.ts";
import { FUNCTION_KINDS } from "../resources/kinds.ts";
import { isSameOwner, type ManifestOwner, type Owner, revisionOf } from "../resources/owner.ts";
import type { Declaration } from "./function-rows.ts";

/** What stands in a set's way: somebody else declared it first. */
export interface Refusal {
  readonly kind: string;
  readonly name: string;
  readonly owner: Owner;
}

export interface SetPlan {
  /** In order; `seenVersion` is that of the row that is replaced. */
  readonly writes: readonly { readonly row: NewResourceRow; readonly seenVersion: number | undefined }[];
  readonly refusals: readonly Refusal[];
  /** The set was applied at this higher revision: nothing is written. */
  readonly newerRevision: number | undefined;
}

/** What happened to a set. */
export interface SetReport extends Omit<SetPlan, "writes"> {
  readonly written: number;
}

export interface SetOptions {
  readonly store: ResourceStore;
  readonly owner: ManifestOwner;
  readonly declarations: readonly Declaration[];
  readonly nowMs: number;
}

const TRIES_MAX = 20;

/**
 * Writes what a set of manifests declares, once: rows of other owners stay as they are, a lower revision overwrites
 * nothing (I41), and what is gone from the set is kept and not run. Processes of one set may do so at once: who comes
 * second reads again and finds it done.
 * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
 */
export async function applySet(options: SetOptions): Promise<SetReport> {
  const { store } = options;
  let written = 0;
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const { writes, ...report } = planSet(await store.list(FUNCTION_KINDS), options);
    let isOvertaken = false;
    for (const { row, seenVersion } of writes) {
      const answer = await (seenVersion === undefined ? store.insert(row) : store.replace(row, seenVersion));
      isOvertaken = answer.kind !== "written";
      if (isOvertaken) break;
      written += 1;
    }
    if (!isOvertaken) return { ...report, written };
  }
  throw new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    "The resources of the manifests changed whenever they were to be written. Start again.",
  );
}

/** What `applySet` writes on these rows. */
export function planSet(
  rows: readonly ResourceRow[],
  { owner, declarations, nowMs }: Omit<SetOptions, "store">,
): SetPlan {
  const known = new Map(rows.map((row) => [keyOf(row), { row, document: readDocument(row.document) }]));
  const own = [...known.values()].filter(({ document }) => document && isSameOwner(document.owner, owner));
  const newest = Math.max(0, ...own.map(({ document }) => revisionIn(document)));
  // plant: a-lower-revision-overwrites
  if (newest > revisionOf(owner)) return { writes: [], refusals: [], newerRevision: newest };
  const refusals: Refusal[] = [];
  const wanted = new Set(declarations.map(keyOf));
  const declared = declarations.flatMap((declaration) => {
    const { row, document } = known.get(keyOf(declaration)) ?? {};
    if (document !== undefined && !isSameOwner(document.owner, owner)) {
      refusals.push({ kind: declaration.kind, name: declaration.name, owner: document.owner });
      // plant: a-set-takes-what-another-owns
      return [];
    }
    const next = declaredDocument(declaration, owner, document, nowMs);
    if (next === undefined) return [];
    return [
      { row: rowOf(declaration, row?.uid ?? uidOf(declaration, nowMs), next), seenVersion: row?.version },
    ];
  });
  const orphaned = own.flatMap(({ row, document }) => {
    if (document === undefined || wanted.has(keyOf(row)) || isOrphaned(document)) return [];
    const reason = `It is no longer in ${owner.set === "" ? "the manifests" : `the manifest set ${owner.set}`}.`;
    const conditions = [{ type: "Orphaned" as const, reason, sinceMs: nowMs }];
    const next = { ...document, owner, conditions, lastModifiedMs: nowMs };
    return [{ row: rowOf(row, row.uid, next), seenVersion: row.version }];
  });
  return { writes: [...declared, ...orphaned], refusals, newerRevision: undefined };
}

/** `undefined`: the row says so already. */
function declaredDocument(
  { spec }: Declaration,
  owner: ManifestOwner,
  before: ResourceDocument | undefined,
  nowMs: number,
): ResourceDocument | undefined {
  if (before === undefined) {
    return { form: 2, spec: { ...spec }, owner, generation: 1, conditions: [], lastModifiedMs: nowMs };
  }
  const isChanged = !isDeepStrictEqual(before.spec, plain(spec));
  const isNews = isChanged || isOrphaned(before) || revisionIn(before) !== revisionOf(owner);
  if (!isNews) return undefined;
  const { overrides: overridesBefore, ...rest } = before;
  const overrides = keptOverrides(overridesBefore, before.spec, spec);
  return {
    ...rest,
    spec: { ...spec },
    owner,
    ...(overrides === undefined ? {} : { overrides }),
    generation: before.generation + (isChanged || isOrphaned(before) ? 1 : 0),
    conditions: [],
    lastModifiedMs: nowMs,
  };
}

/** An override stays until its field is declared anew, as another value. */
function keptOverrides(
  overrides: ResourceDocument["overrides"],
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  const kept = Object.entries(overrides ?? {}).filter(([field]) =>
    isDeepStrictEqual(before[field], plain(after[field])),
  );
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function rowOf({ kind, name }: Pick<Declaration, "kind" | "name">, uid: string, document: ResourceDocument) {
  return { uid, kind, name, claims: [], document: writeDocument(document) };
}

function revisionIn(document: ResourceDocument | undefined): number {
  return document?.owner.kind === "manifest" ? revisionOf(document.owner) : 0;
}

/** There is one of a name at a time, and the next of that name is made at another moment. */
function uidOf({ kind, name }: Declaration, nowMs: number): string {
  return `${kind}:${name}:${nowMs}`;
}

function keyOf({ kind, name }: Pick<Declaration, "kind" | "name">): string {
  return `${kind}/${name}`;
}

/** As it comes back from the store. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
