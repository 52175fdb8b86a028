/** What the `uri` of a secret names in a custom resource: a Secret or a ConfigMap of its namespace, or a key of it. */
export interface ValueReference {
  readonly kind: "secret" | "configmap";
  readonly name: string;
  /** `undefined`: all keys, as one JSON object of texts. */
  readonly key: string | undefined;
}

/** The member that says where a secret stands, wherever a spec has one. */
const MEMBER = "uri";
const FORM = /^(secret|configmap):([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?:\/([-._a-zA-Z0-9]{1,253}))?$/;
/** Deeper than any schema of ours. */
const DEPTH_MAX = 32;

/** `undefined`: the text is none. */
export function readReference(text: string): ValueReference | undefined {
  const [, kind, name, key] = FORM.exec(text) ?? [];
  if (name === undefined || (kind !== "secret" && kind !== "configmap")) return undefined;
  return { kind, name, key };
}

/** A copy of a spec in which each reference is what `put` says; the spec itself, where there is none. */
export function withReferences(spec: unknown, put: (reference: ValueReference) => string): unknown {
  return rewritten(spec, put, DEPTH_MAX);
}

function rewritten(value: unknown, put: (reference: ValueReference) => string, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth === 0) return value;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const next = items.map((item) => rewritten(item, put, depth - 1));
    return next.every((item, index) => item === items[index]) ? value : next;
  }
  const entries = Object.entries(value);
  const next = entries.map(([name, inner]) => {
    const reference = name === MEMBER && typeof inner === "string" ? readReference(inner) : undefined;
    return [name, reference === undefined ? rewritten(inner, put, depth - 1) : put(reference)] as const;
  });
  const isSame = next.every(([, inner], index) => inner === entries[index]?.[1]);
  return isSame ? value : Object.fromEntries(next);
}
