import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { ResourceDocument } from "./document.ts";
import { ownerText } from "./owner.ts";

/** Where what is in force is not what was declared. */
export interface Drift {
  readonly kind: string;
  readonly name: string;
  /** `undefined`: the whole resource. */
  readonly field?: string;
  readonly declared?: unknown;
  readonly inForce?: unknown;
  /** For people. */
  readonly reason: string;
}

export interface KeptResource {
  readonly kind: string;
  readonly name: string;
  readonly document: ResourceDocument;
}

/** Fields that show what a resource is, without what they may hold of secrets and places. */
export type ShownSpec = Readonly<Record<string, unknown>>;

/** What rows say of themselves: fields that somebody else set, and resources that their owner no longer declares. */
export function driftOf(resources: readonly KeptResource[]): readonly Drift[] {
  return resources.flatMap(({ kind, name, document }) => [
    ...document.conditions.map(({ reason }) => ({
      kind,
      name,
      reason: `${reason} It is kept, and not run.`,
    })),
    ...Object.entries(document.overrides ?? {}).map(([field, inForce]) => ({
      kind,
      name,
      field,
      declared: document.spec[field],
      inForce,
      reason: `It was set by the API, until ${ownerText(document.owner)} declares this field anew.`,
    })),
  ]);
}

/** What says where something is, and what may hold secrets. */
const PLACES: readonly string[] = [
  "code",
  "command",
  "custom",
  "endpoints",
  "environment",
  "http",
  "lambda",
  "layers",
  "module",
];

/**
 * The fields of a `spec` for people and for comparison. A place is shown as a digest: where a function or a source is,
 * is not said, and values of its environment have no part in it.
 */
export function shownSpec(spec: Readonly<Record<string, unknown>>): ShownSpec {
  const entries = Object.entries(spec).map(([field, value]) =>
    PLACES.includes(field) ? [field, placeDigest({ [field]: value })] : [field, value],
  );
  return Object.fromEntries(entries);
}

function placeDigest(place: unknown): string {
  const text = JSON.stringify(place, (key, value: unknown) => {
    if (key === "environment" && typeof value === "object" && value !== null)
      return Object.keys(value).sort();
    return value;
  });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** What an owner said himself: the number of what is published came of it. */
export function declaredPart(spec: ShownSpec): ShownSpec {
  const { version: _number, ...declared } = spec;
  return spec["publish"] === true ? declared : spec;
}

/** A declaration that is at hand, and the row that is kept of it, both as they are shown. */
export interface Compared {
  readonly kind: string;
  readonly name: string;
  readonly declared: ShownSpec | undefined;
  readonly kept:
    | { readonly spec: ShownSpec; readonly owner: string; readonly isOrphaned: boolean }
    | undefined;
}

/** What would change if the declarations were applied. */
export function differences(compared: readonly Compared[]): readonly Drift[] {
  return compared.flatMap(({ kind, name, declared, kept }): readonly Drift[] => {
    if (kept === undefined) return [{ kind, name, reason: "It is not applied." }];
    if (declared === undefined) return [{ kind, name, reason: "It is not in these manifests." }];
    if (kept.isOrphaned) return [{ kind, name, reason: "It is kept as an orphan: it is not applied again." }];
    const fields = [...new Set([...Object.keys(declared), ...Object.keys(kept.spec)])].sort();
    return fields
      .filter((field) => !isDeepStrictEqual(declared[field], kept.spec[field]))
      .map((field) => {
        const reason = `It is not applied to what ${kept.owner} declared.`;
        return { kind, name, field, declared: declared[field], inForce: kept.spec[field], reason };
      });
  });
}
