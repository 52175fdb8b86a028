import { z } from "zod";
import { ownerSchema } from "./owner.ts";
import { rolloutSchema } from "./rollout.ts";

const conditionSchema = z.strictObject({
  /** It vanished from the manifests of its owner: kept, and not run. */
  type: z.enum(["Orphaned"]),
  /** For people. */
  reason: z.string(),
  sinceMs: z.number(),
});

const documentSchema = z.strictObject({
  form: z.literal(2),
  /** What people call it, where the row's name is another. */
  name: z.string().optional(),
  /** The manifest's `spec`, checked by the same schema whoever writes it. */
  spec: z.record(z.string(), z.unknown()),
  owner: ownerSchema,
  /** Absolute; what relative paths in `spec` start from. */
  folder: z.string().optional(),
  /** Stands for all that its set declared at the owner's revision. */
  setDigest: z.string().optional(),
  /** Rises with every change of what is run, so that processes see what they have to do anew. */
  generation: z.int(),
  /** What its owner said of it that changes nothing of what is run: description, tags and their like. */
  members: z.record(z.string(), z.unknown()).optional(),
  /** A state that processes have not all carried out yet; `undefined`: settled. */
  transition: z.string().optional(),
  /** Fields of `spec` that somebody else set who may, until the owner changes them. */
  overrides: z.record(z.string(), z.unknown()).optional(),
  /** An alias's: the rollout that runs, or the last one that ended. */
  rollout: rolloutSchema.optional(),
  conditions: z.array(conditionSchema),
  lastModifiedMs: z.number(),
});

/** What a row of any kind keeps: what its owner declared, and what became of it. */
export type ResourceDocument = Readonly<z.output<typeof documentSchema>>;

export function writeDocument(document: Omit<ResourceDocument, "form">): string {
  return JSON.stringify({ form: 2, ...document });
}

/** `undefined`: a version of millrace wrote it that this one does not know, or nobody did. */
export function readDocument(text: string): ResourceDocument | undefined {
  return parsedJson(text, documentSchema);
}

/** `undefined`: it is no JSON, or not of this shape. */
export function parsedJson<Value>(text: string, schema: z.ZodType<Value>): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function isOrphaned({ conditions }: Pick<ResourceDocument, "conditions">): boolean {
  return conditions.some(({ type }) => type === "Orphaned");
}
