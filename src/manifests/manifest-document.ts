import { isDeepStrictEqual } from "node:util";
import { describeIssue, valueAt } from "./issue-texts.ts";
import { nearestName } from "./nearest-name.ts";
import type { ManifestProblem } from "./problem.ts";
import {
  API_VERSION,
  type Manifest,
  type ManifestSchemas,
  RESOURCE_KINDS,
  type ResourceKind,
} from "./schema.ts";
import type { YamlDocument } from "./yaml-documents.ts";

/** One document of a known kind, whether its fields are valid or not: rules between documents look at both. */
export interface ManifestDocument {
  readonly kind: ResourceKind;
  readonly file: string;
  /** Absolute; what relative paths in the document start from. */
  readonly folder: string;
  /** `undefined` when the document gives none. */
  readonly name: string | undefined;
  /** `FILE:LINE` of the name, for messages of other documents. */
  readonly position: string;
  /** The document with its defaults, when its shape is valid. */
  readonly manifest: Manifest | undefined;
  /** The value as written at `path`. */
  raw(...path: readonly PropertyKey[]): unknown;
  report(path: readonly PropertyKey[], message: string, remedy: string, part?: "key" | "value"): void;
}

/** What every document of a mapping begins with. */
export const MILLRACE_MAPPING = { apiVersion: API_VERSION, kind: "EventSourceMapping" } as const;

export interface ManifestFile {
  readonly file: string;
  readonly folder: string;
}

/** Checks the shape of a document. What is wrong goes to `problems`; `undefined` when it is of no known kind. */
export function readManifestDocument(
  yaml: YamlDocument,
  { file, folder }: ManifestFile,
  schemas: ManifestSchemas,
  problems: ManifestProblem[],
): ManifestDocument | undefined {
  const kind = valueAt(yaml.value, ["kind"]);
  const nameValue = valueAt(yaml.value, ["metadata", "name"]);
  const name = typeof nameValue === "string" ? nameValue : undefined;
  const report: ManifestDocument["report"] = (path, message, remedy, part) => {
    const label = typeof kind === "string" && name !== undefined ? `${kind} ${name}, ` : "";
    const field = path.length === 0 ? label.slice(0, -2) || undefined : label + formatPath(path);
    problems.push({ file, place: yaml.place(path, part), field, message, remedy });
  };
  if (!isKnownKind(kind)) {
    report(kind === undefined ? [] : ["kind"], ...unknownKind(yaml.value, kind));
    return undefined;
  }
  const parsed = schemas.of(kind).safeParse(yaml.value);
  const texts = (parsed.error?.issues ?? []).flatMap((issue) =>
    describeIssue(issue, yaml.value, schemas.json(kind)),
  );
  const meant = texts.flatMap((text) => (text.meant === undefined ? [] : [text.meant]));
  const isMisspelt = (path: readonly PropertyKey[]) => meant.some((each) => isDeepStrictEqual(each, path));
  const causes = texts.filter(({ path }) => valueAt(yaml.value, path) !== undefined || !isMisspelt(path));
  for (const text of causes) report(text.path, text.message, text.remedy, text.part);
  /** What follows from a shape that is wrong, or from a field that is misspelt, is not said beside it. */
  const reportRule: ManifestDocument["report"] = (path, message, remedy, part) => {
    const isBelow = causes.some((text) => isDeepStrictEqual(text.path, path.slice(0, text.path.length)));
    const isAbsence = part === "key" && meant.some((each) => isDeepStrictEqual(each.slice(0, -1), path));
    if (!isBelow && !isAbsence) report(path, message, remedy, part);
  };
  const raw: ManifestDocument["raw"] = (...path) => valueAt(yaml.value, path);
  const position = `${file}:${yaml.place(["metadata", "name"]).line}`;
  return { kind, file, folder, name, position, manifest: parsed.data, raw, report: reportRule };
}

function isKnownKind(kind: unknown): kind is ResourceKind {
  return RESOURCE_KINDS.some((known) => known === kind);
}

function unknownKind(value: unknown, kind: unknown): [message: string, remedy: string] {
  const kinds = RESOURCE_KINDS;
  const named = `${kinds.slice(0, -1).join(", ")} or ${kinds.at(-1)}`;
  const form = `Each document has apiVersion: ${API_VERSION}, kind: ${named}, metadata and spec`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return ["The document is not a map of fields", form];
  }
  if (kind === undefined) return ["The document has no kind", form];
  if (typeof kind !== "string") return ["The kind is not a text", form];
  const nearest = nearestName(kind, kinds);
  const suggestion = nearest === undefined ? "" : `Did you mean ${nearest}? `;
  return [`There is no kind ${JSON.stringify(kind.slice(0, 80))} here`, suggestion + form];
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      return index === 0 ? String(step) : `.${String(step)}`;
    })
    .join("");
}
