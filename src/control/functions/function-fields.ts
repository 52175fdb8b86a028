import { z } from "zod";
import { TARGET_FIELDS } from "../../manifests/function-schema.ts";
import type { ResourceDocument } from "../../resources/document.ts";

/** What Lambda's API keeps of a function, or a version, beside what is run. Rows of manifests have none of it. */
const functionMembers = z.object({
  description: z.string().default(""),
  role: z.string().optional(),
  architectures: z.array(z.string()).readonly().default(["x86_64"]),
  tracing: z.string().default("PassThrough"),
  tags: z.record(z.string(), z.string()).default({}),
  /** The newest version that was published; 0: none was yet. */
  lastVersion: z.int().default(0),
  /** Something was updated since then, if only to the same. */
  isUnpublished: z.boolean().default(true),
  /** All processes ran it as it is when this was written, which changed nothing of that. */
  isSettled: z.boolean().default(false),
  /** A version's own, as it was when it was published. */
  timeoutSeconds: z.int().optional(),
});

export type FunctionMembers = Readonly<z.output<typeof functionMembers>>;

export function membersOf({ members = {} }: Pick<ResourceDocument, "members">): FunctionMembers {
  const read = functionMembers.safeParse(members);
  return read.success ? read.data : functionMembers.parse({});
}

export function targetFieldsOf(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => TARGET_FIELDS.includes(field)));
}

/** What a version keeps as it was: also where its events go that are given up (invocation §9.3). */
export function publishedFieldsOf(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { deadLetterConfig } = spec;
  return { ...targetFieldsOf(spec), ...(deadLetterConfig === undefined ? {} : { deadLetterConfig }) };
}

const storedCode = z.object({ code: z.object({ sha256: z.string(), bytes: z.number() }) });

/** The package that a spec names; `undefined`: it has none. */
export function storedCodeOf(
  spec: Readonly<Record<string, unknown>>,
): { readonly sha256: string; readonly bytes: number } | undefined {
  return storedCode.safeParse(spec).data?.code;
}
