import { z } from "zod";

/** Who declared a resource: the one who may change what it is. */
export const ownerSchema = z.discriminatedUnion("kind", [
  /** A set of manifests; a set that was applied at a higher revision is not overwritten by one of a lower. */
  z.strictObject({ kind: z.literal("manifest"), set: z.string(), revision: z.int().optional() }),
  /** `isAdopted`: it was a manifest's before, and must not come back from there. */
  z.strictObject({ kind: z.literal("api"), isAdopted: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal("kubernetes"), ref: z.string() }),
]);

export type Owner = Readonly<z.output<typeof ownerSchema>>;
