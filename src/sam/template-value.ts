import type { Place } from "../manifests/problem.ts";

export type Scalar = string | number | boolean | null;

/** A value of a template, with the place where it is written; calls of functions keep their long form. */
export type TemplateValue = ScalarValue | ListValue | MapValue | UnknownValue | AbsentValue;

export interface ScalarValue {
  readonly kind: "scalar";
  readonly value: Scalar;
  /** As it is written, where that is not the value's own text: `012` is no 12 for whoever means a text. */
  readonly text?: string;
  /** It holds something that must not be shown or kept. */
  readonly isSecret?: true;
  readonly place: Place;
}

export interface ListValue {
  readonly kind: "list";
  readonly items: readonly TemplateValue[];
  readonly place: Place;
}

export interface MapValue {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly place: Place;
}

export interface MapEntry {
  readonly key: Place;
  readonly value: TemplateValue;
}

/** Something that is known to AWS alone, or to nobody. */
export interface UnknownValue {
  readonly kind: "unknown";
  readonly cause: UnknownCause;
  readonly place: Place;
}

export type UnknownCause =
  /** What is wrong has been said. */
  | { readonly kind: "reported" }
  /** AWS makes it: what a resource is called there, or one of its attributes. */
  | { readonly kind: "made"; readonly name: string; readonly type: string }
  | { readonly kind: "function"; readonly name: string }
  /** A secret, by what names it. */
  | { readonly kind: "secret"; readonly name: string };

/** `AWS::NoValue`: as if it were not written. */
export interface AbsentValue {
  readonly kind: "absent";
  readonly place: Place;
}

export function scalar(value: Scalar, place: Place, isSecret = false): ScalarValue {
  return { kind: "scalar", value, place, ...(isSecret ? { isSecret: true } : {}) };
}

export function list(items: readonly TemplateValue[], place: Place): ListValue {
  return { kind: "list", items, place };
}

export function map(
  entries: Iterable<readonly [string, TemplateValue | undefined]>,
  place: Place,
): MapValue & { readonly kind: "map" } {
  const kept = [...entries].flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { key: value.place, value }] as const],
  );
  return { kind: "map", entries: new Map(kept), place };
}

export function unknown(cause: UnknownCause, place: Place): UnknownValue {
  return { kind: "unknown", cause, place };
}

/** A scalar as the text that is meant; `undefined`: it is none. */
export function textOf(value: TemplateValue | undefined): string | undefined {
  if (value?.kind !== "scalar" || value.value === null) return undefined;
  return value.text ?? String(value.value);
}

export function memberOf(
  value: TemplateValue | undefined,
  ...path: readonly string[]
): TemplateValue | undefined {
  let at = value;
  for (const name of path) at = at?.kind === "map" ? at.entries.get(name)?.value : undefined;
  return at;
}

/** What is not known, at any depth, in the order of reading. */
export function unknownsIn(value: TemplateValue): readonly UnknownValue[] {
  switch (value.kind) {
    case "unknown":
      return [value];
    case "list":
      return value.items.flatMap(unknownsIn);
    case "map":
      return [...value.entries.values()].flatMap((entry) => unknownsIn(entry.value));
    default:
      return [];
  }
}

/** The value as JSON has it. What is not known, or absent, is left out. */
export function plain(value: TemplateValue): unknown {
  switch (value.kind) {
    case "scalar":
      return value.value;
    case "list":
      return value.items.filter(isPresent).map(plain);
    case "map": {
      const present = [...value.entries].filter(([, entry]) => isPresent(entry.value));
      return Object.fromEntries(present.map(([name, entry]) => [name, plain(entry.value)]));
    }
    default:
      return undefined;
  }
}

function isPresent(value: TemplateValue): boolean {
  return value.kind !== "absent" && value.kind !== "unknown";
}

/** The place at `path`, of the key where `part` says so; of the nearest value around it where there is no such part. */
export function placeIn(
  root: TemplateValue,
  path: readonly PropertyKey[],
  part: "key" | "value" = "value",
): Place {
  let at: TemplateValue = root;
  for (const [index, step] of path.entries()) {
    if (at.kind === "map") {
      const entry = at.entries.get(String(step));
      if (entry === undefined) return at.place;
      if (part === "key" && index === path.length - 1) return entry.key;
      at = entry.value;
    } else if (at.kind === "list" && typeof step === "number") {
      const item = at.items[step];
      if (item === undefined) return at.place;
      at = item;
    } else return at.place;
  }
  return at.place;
}
