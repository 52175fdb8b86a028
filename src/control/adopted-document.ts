import type { ResourceDocument } from "../resources/document.ts";
import { MAPPING_KIND } from "../resources/kinds.ts";
import type { Owner } from "../resources/owner.ts";
import { inTransition } from "./declared-document.ts";

/**
 * As a resource is kept that was given to another owner. It has nobody beside it: what was set beside the former owner
 * is what it declares.
 */
export function adoptedDocument(
  kind: string,
  before: ResourceDocument,
  owner: Owner,
  nowMs: number,
): ResourceDocument {
  const { overrides = {}, spec, setDigest: _setDigest, ...rest } = before;
  return inTransition({ kind }, before, {
    ...rest,
    spec: { ...spec, ...overrides },
    owner: kind === MAPPING_KIND ? ownerOfPlaces(before.owner, owner) : owner,
    conditions: [],
    generation: before.generation + 1,
    lastModifiedMs: nowMs,
  });
}

/** What a caller of the API said stays a caller's word, until the set itself declares the mapping. */
function ownerOfPlaces(before: Owner, owner: Owner): Owner {
  const isOwnWord = before.kind === "manifest" && before.isAdopted === undefined;
  return owner.kind === "manifest" && !isOwnWord ? { ...owner, isAdopted: true } : owner;
}
