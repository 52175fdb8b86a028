import type { Manifests } from "../manifests/load-manifests.ts";
import { type ManifestOwner, revisionOf } from "../resources/owner.ts";
import { isOrphan, isWanted, type KeptMapping } from "./mapping-record.ts";

/** What the manifests of this process declare. */
export interface DeclaredHere {
  readonly owner: ManifestOwner;
  readonly uuids: ReadonlySet<string>;
}

/**
 * This process runs it. Of manifests those of its own set: the paths and secrets of another are with the processes of
 * that. What another process of the set took out goes on here for as long as manifests of no lower revision declare it,
 * so that who starts first in a rolling update stops nothing of the others.
 */
export function isToRun({ uuid, record, claims = [] }: KeptMapping, here: DeclaredHere | undefined): boolean {
  const { owner, conditions: _conditions, ...alive } = record;
  if (here === undefined || owner.kind !== "manifest") return isWanted(record);
  if (owner.set !== here.owner.set) return false;
  if (!isOrphan(record)) return isWanted(record);
  // plant: an-orphan-is-run-by-a-process-of-a-lower-revision
  const isDeclared = here.uuids.has(uuid) && revisionOf(here.owner) >= revisionOf(owner);
  // Without its claims another mapping may read for the same function.
  return isDeclared && claims.length > 0 && isWanted({ ...alive, owner });
}

export function uuidsOf({ mappings }: Manifests): ReadonlySet<string> {
  return new Set(mappings.map(({ mapping }) => mapping.uuid));
}
