/** A part of a pattern between two slashes. */
export type PathPart =
  | { readonly kind: "text"; readonly text: string }
  /** `{name}`: one part of a path that is not empty. */
  | { readonly kind: "one"; readonly name: string }
  /** `{name+}`: all that is left, at least one part. */
  | { readonly kind: "rest"; readonly name: string };

const PARTS_MAX = 64;

/** A pattern such as `/pets/{id}/{proxy+}`, taken apart. `undefined`: it is none. */
export function pathParts(pattern: string): readonly PathPart[] | undefined {
  if (!pattern.startsWith("/")) return undefined;
  const texts = pattern.slice(1).split("/");
  if (texts.length > PARTS_MAX) return undefined;
  const parts: PathPart[] = [];
  const names = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const part = partOf(text);
    if (part === undefined) return undefined;
    if (part.kind === "rest" && index !== texts.length - 1) return undefined;
    if (part.kind !== "text" && names.has(part.name)) return undefined;
    if (part.kind !== "text") names.add(part.name);
    parts.push(part);
  }
  return parts;
}

function partOf(text: string): PathPart | undefined {
  const [, name, plus] = /^\{([A-Za-z0-9_.-]{1,128})(\+?)\}$/.exec(text) ?? [];
  if (name !== undefined) return { kind: plus === "+" ? "rest" : "one", name };
  return /^[A-Za-z0-9._~!$&'()*+,;=:@-]*$/.test(text) ? { kind: "text", text } : undefined;
}
