import { z } from "zod";

/** Who declared a resource: the one who may change what it is. */
export const ownerSchema = z.discriminatedUnion("kind", [
  /**
   * A set of manifests; a set that was applied at a higher revision is not overwritten by one of a lower.
   * `isAdopted`: it was given to the set, and what it is was said by the former owner.
   */
  z.strictObject({
    kind: z.literal("manifest"),
    set: z.string(),
    revision: z.int().optional(),
    isAdopted: z.literal(true).optional(),
  }),
  /** `isAdopted`: it was a manifest's before, and must not come back from there. */
  z.strictObject({ kind: z.literal("api"), isAdopted: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal("kubernetes"), ref: z.string() }),
]);

export type Owner = Readonly<z.output<typeof ownerSchema>>;
export type ManifestOwner = Extract<Owner, { readonly kind: "manifest" }>;

export function isSameOwner(a: Owner, b: Owner): boolean {
  return ownerText(a) === ownerText(b);
}

/** Names the owner, for people. */
export function ownerText(owner: Owner): string {
  switch (owner.kind) {
    case "manifest":
      return `the manifest set ${owner.set}`;
    case "api":
      return "the API";
    case "kubernetes":
      return `the Kubernetes resource ${owner.ref}`;
  }
}

/** A set that names no revision is of the lowest. */
export function revisionOf({ revision = 0 }: ManifestOwner): number {
  return revision;
}
