import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { NewResourceRow, ResourceRow } from "../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument } from "../resources/document.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import { isSameOwner, type ManifestOwner, type Owner, revisionOf } from "../resources/owner.ts";
import { type DeclaredAs, declaredDocument, declaredRow, orphanedDocument } from "./declared-document.ts";
import type { Declaration } from "./function-rows.ts";
import { isTombstone, mappingDocument } from "./mapping-record.ts";

/** What stands in a set's way: somebody else declared it first. */
export interface Refusal {
  readonly kind: string;
  /** As people call it. */
  readonly name: string;
  readonly owner: Owner;
  /** Another resource that has what no two may have, such as a source and its function; absent: the resource itself. */
  readonly rival?: string;
}

export interface SetPlan {
  /** In order; `seenVersion` is that of the row that is replaced. */
  readonly writes: readonly SetWrite[];
  readonly refusals: readonly Refusal[];
  /** The set was applied at this higher revision: nothing is written. */
  readonly newerRevision: number | undefined;
  /** The set was applied at this very revision, and said something else. */
  readonly isOtherContent?: true;
  /** Names of mappings that are being deleted: they have to be gone first. */
  readonly waiting?: readonly string[];
  /** These writes only make room: what is declared is planned anew behind them. */
  readonly isFirstHalf?: true;
}

export interface SetWrite {
  readonly row: NewResourceRow;
  readonly seenVersion: number | undefined;
}

/** What a set of manifests says. */
export interface SetDeclared {
  readonly owner: ManifestOwner;
  readonly declarations: readonly Declaration[];
  /** Rows that stay as they are, though nothing declares them now. Default: none. */
  readonly isKept?: (row: ResourceRow, document: ResourceDocument) => boolean;
  readonly nowMs: number;
}

interface KnownRow {
  readonly row: ResourceRow;
  /** `undefined`: this version cannot read it, or it is a tombstone. */
  readonly document: ResourceDocument | undefined;
}

/** `leaving`: it is being deleted. */
type Obstacle = Refusal | "leaving" | "unreadable";

interface OwnRow extends KnownRow {
  readonly document: ResourceDocument;
}

/** What is to be written on these rows, so that they say what the set declares. */
export function planSet(
  rows: readonly ResourceRow[],
  { owner, declarations, isKept, nowMs }: SetDeclared,
): SetPlan {
  const known = rows.map((row) => ({ row, document: documentOf(row) }));
  const own = known.flatMap(({ row, document }) =>
    document !== undefined && isSameOwner(document.owner, owner) ? [{ row, document }] : [],
  );
  const newest = own.reduce((max, { document }) => Math.max(max, revisionIn(document)), 0);
  // plant: a-lower-revision-overwrites
  if (newest > revisionOf(owner)) return { writes: [], refusals: [], newerRevision: newest };
  const setDigest = owner.revision === undefined ? undefined : digestOf(declarations);
  // plant: a-resource-that-is-not-accepted-is-stopped
  const orphans = orphansOf(own, declarations).filter(({ row, document }) => !isKept?.(row, document));
  const planning = new Planning(known, declarations, { owner, setDigest, nowMs });
  for (const declaration of declarations) planning.declare(declaration);
  for (const orphan of orphans) planning.orphan(orphan);
  return planning.plan(own.some(({ document }) => saysOther(document, owner, setDigest)));
}

/** Rows by what they are and what they claim, and what is to become of them. */
class Planning {
  readonly #as: DeclaredAs;
  readonly #declarations: ReadonlyMap<string, Declaration>;
  readonly #rows: ReadonlyMap<string, KnownRow>;
  readonly #claimants: ReadonlyMap<string, KnownRow>;
  readonly #refusals: Refusal[] = [];
  readonly #waiting: string[] = [];
  readonly #room = new Map<string, SetWrite>();
  readonly #mappingOrphans: SetWrite[] = [];
  readonly #declared: SetWrite[] = [];
  readonly #otherOrphans: SetWrite[] = [];

  constructor(rows: readonly KnownRow[], declarations: readonly Declaration[], as: DeclaredAs) {
    this.#as = as;
    this.#declarations = new Map(declarations.map((declaration) => [keyOf(declaration), declaration]));
    this.#rows = new Map(rows.map((each) => [keyOf(each.row), each]));
    this.#claimants = new Map(rows.flatMap((each) => each.row.claims.map((claim) => [claim, each] as const)));
  }

  declare(declaration: Declaration): void {
    const { kind, title, name, claims = [] } = declaration;
    const obstacle = this.#obstacle(declaration);
    if (obstacle === "leaving") this.#waiting.push(title ?? name);
    else if (obstacle !== undefined && obstacle !== "unreadable") this.#refusals.push(obstacle);
    // plant: a-set-takes-what-another-owns
    if (obstacle !== undefined) return;
    const { row, document } = this.#rows.get(keyOf(declaration)) ?? {};
    const said = declaredDocument(declaration, document, this.#as);
    const isClaimed = row === undefined || isDeepStrictEqual(row.claims.toSorted(), claims.toSorted());
    const next = said ?? (isClaimed ? undefined : document);
    if (next === undefined) return;
    for (const claim of claims) this.#makeRoom(declaration, claim);
    const uid = row?.uid ?? (kind === MAPPING_KIND ? name : `${kind}:${name}:${this.#as.nowMs}`);
    this.#declared.push({ row: declaredRow(declaration, uid, claims, next), seenVersion: row?.version });
  }

  orphan({ row, document }: OwnRow): void {
    const orphan = orphanedDocument(row.kind, document, this.#as);
    const writes = row.kind === MAPPING_KIND ? this.#mappingOrphans : this.#otherOrphans;
    writes.push({ row: declaredRow(row, row.uid, row.claims, orphan), seenVersion: row.version });
  }

  /** Mappings stop before their functions go, and start behind what they are of. */
  plan(isOtherContent: boolean): SetPlan {
    const isFirstHalf = this.#room.size > 0;
    const writes = isFirstHalf
      ? [...this.#mappingOrphans, ...this.#room.values()]
      : [...this.#mappingOrphans, ...this.#declared, ...this.#otherOrphans];
    return {
      writes,
      refusals: this.#refusals,
      newerRevision: undefined,
      ...(isOtherContent ? { isOtherContent } : {}),
      ...(this.#waiting.length === 0 ? {} : { waiting: this.#waiting }),
      ...(isFirstHalf ? { isFirstHalf } : {}),
    };
  }

  /**
   * What stands in the way of a declaration. What another owns stays as it is; rows of the set itself go out of the
   * way, unless something stands in theirs. `behind`: whoever waits for this one; a circle moves as a whole.
   */
  #obstacle(declaration: Declaration, behind: readonly string[] = []): Obstacle | undefined {
    const { kind, name, title = name, claims = [] } = declaration;
    const key = keyOf(declaration);
    if (behind.includes(key)) return undefined;
    const known = this.#rows.get(key);
    const own = known && this.#obstacleOf(kind, title, known);
    if (own !== undefined) return own;
    for (const claim of claims) {
      const holder = this.#claimants.get(claim);
      if (holder === undefined || keyOf(holder.row) === key) continue;
      const { row, document } = holder;
      const obstacle = this.#obstacleOf(row.kind, title, holder);
      const next = this.#declarations.get(keyOf(row));
      const stays = obstacle ?? (next && this.#obstacle(next, [...behind, key]));
      if (stays === undefined) continue;
      if (stays === "leaving") return stays;
      const owner: Owner = document?.owner ?? { kind: "api" };
      return { kind, name: title, owner, rival: `${row.kind} ${document?.name ?? row.name}` };
    }
    return undefined;
  }

  #obstacleOf(kind: string, name: string, { row, document }: KnownRow): Obstacle | undefined {
    // A manifest's mapping that the API had and deleted does not come back from there.
    const owner = isTombstone(row) ? ({ kind: "api", isAdopted: true } as const) : document?.owner;
    if (owner === undefined) return kind === MAPPING_KIND ? "unreadable" : undefined;
    if (!isSameOwner(owner, this.#as.owner)) return { kind, name, owner };
    return document !== undefined && isLeaving(document) ? "leaving" : undefined;
  }

  /** Its own set's row that has the claim is an orphan, or about to have another. */
  #makeRoom(declaration: Declaration, claim: string): void {
    const { row, document } = this.#claimants.get(claim) ?? {};
    if (row === undefined || document === undefined || keyOf(row) === keyOf(declaration)) return;
    this.#room.set(row.uid, { row: declaredRow(row, row.uid, [], document), seenVersion: row.version });
  }
}

/** What is of the set, and no longer in it. */
function orphansOf(own: readonly OwnRow[], declarations: readonly Declaration[]): readonly OwnRow[] {
  const wanted = new Set(declarations.map(keyOf));
  return own.filter(
    ({ row, document }) => !wanted.has(keyOf(row)) && !isOrphaned(document) && !isLeaving(document),
  );
}

function documentOf({ kind, document }: ResourceRow): ResourceDocument | undefined {
  return kind === MAPPING_KIND ? mappingDocument(document) : readDocument(document);
}

/** Its progress is about to be forgotten: nothing may begin under its name before. */
function isLeaving({ transition }: ResourceDocument): boolean {
  return transition === "Deleting";
}

function saysOther({ owner, setDigest }: ResourceDocument, set: ManifestOwner, digest: string | undefined) {
  const isSameRevision = owner.kind === "manifest" && owner.revision === set.revision;
  return digest !== undefined && setDigest !== undefined && isSameRevision && setDigest !== digest;
}

function digestOf(declarations: readonly Declaration[]): string {
  const texts = declarations.map((declaration) => JSON.stringify(declaration)).toSorted();
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 32);
}

function revisionIn({ owner }: ResourceDocument): number {
  return owner.kind === "manifest" ? revisionOf(owner) : 0;
}

function keyOf({ kind, name }: Pick<Declaration, "kind" | "name">): string {
  return `${kind}/${name}`;
}
