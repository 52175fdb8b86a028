import { parseFunctionName } from "../manifests/function-name.ts";
import type { KeptManifest, Manifests } from "../manifests/load-manifests.ts";
import { loadObjects, type ManifestObject } from "../manifests/load-objects.ts";
import type { MappingContext } from "../manifests/mapping-checks.ts";
import { formatProblem } from "../manifests/problem.ts";
import { API_VERSION, type ResourceKind } from "../manifests/schema.ts";
import type { ClusterObject } from "../ports/cluster.ts";

/** An object with the kind that it is of. */
export interface CustomObject {
  readonly kind: ResourceKind;
  readonly object: ClusterObject;
}

/** Why an object is not in force as it is written, for people. */
export interface ObjectFault {
  readonly reason: "Invalid" | "Deleting" | "InUse";
  readonly message: string;
}

export interface ObjectManifests {
  readonly manifests: Manifests;
  /** By `keyOf`; an object that is not here is in force. */
  readonly faults: ReadonlyMap<string, ObjectFault>;
  /** By `keyOf`: those that are to be deleted, and that nothing needs any more. */
  readonly leaving: ReadonlySet<string>;
}

export function keyOf({ kind, object: { metadata } }: CustomObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/**
 * What all objects declare together. One that is wrong stays as it was before, and the others are taken; of two with
 * one name the older counts. One that is to be deleted is not declared any more, unless it is a function that another
 * still names. `unresolved`: by `keyOf`, those that are wrong for what they name.
 */
export function manifestsOf(
  objects: readonly CustomObject[],
  context: MappingContext,
  folder: string,
  unresolved: ReadonlyMap<string, string> = new Map(),
): ObjectManifests {
  const sorted = objects.toSorted(byAge);
  const isDeleting = ({ object }: CustomObject) => object.metadata.deletionTimestamp !== undefined;
  const staying = sorted.filter((each) => !isDeleting(each));
  const named = new Set(staying.flatMap(({ object }) => functionsNamedIn(object.spec)));
  const needed = sorted.filter(
    (each) => isDeleting(each) && each.kind === "Function" && named.has(each.object.metadata.name),
  );
  const leaving = sorted.filter((each) => isDeleting(each) && !needed.includes(each));
  const declared = [...staying, ...needed].toSorted(byAge);
  const sound = declared.filter((each) => !unresolved.has(keyOf(each)));
  const { manifests, problems } = loadObjects(sound.map(manifestObject), context, folder);
  const faults = new Map<string, ObjectFault>();
  for (const each of leaving) faults.set(keyOf(each), { reason: "Deleting", message: DRAINS });
  for (const each of needed) faults.set(keyOf(each), { reason: "InUse", message: IN_USE });
  const kept: KeptManifest[] = [];
  for (const each of declared) {
    const found = problems.get(keyOf(each));
    const missing = unresolved.get(keyOf(each));
    if (found === undefined && missing === undefined) continue;
    const message =
      missing ?? found?.map((problem) => formatProblem({ ...problem, place: undefined })).join("\n") ?? "";
    faults.set(keyOf(each), { reason: "Invalid", message: withoutId(message, keyOf(each)) });
    kept.push({ kind: each.kind, name: each.object.metadata.name });
  }
  return { manifests: { ...manifests, kept }, faults, leaving: new Set(leaving.map(keyOf)) };
}

const DRAINS = "It is to be deleted: it takes nothing new, and goes once no process works on it.";
const IN_USE = "It is to be deleted, and runs until nothing names it any more: delete what names it, too.";

function manifestObject(each: CustomObject): ManifestObject {
  const { kind, object } = each;
  const { metadata, spec } = object;
  const value = { apiVersion: API_VERSION, kind, metadata: { name: metadata.name }, spec };
  return { id: keyOf(each), kind, name: metadata.name, value };
}

/** The reader stands before the object: its name says nothing. */
function withoutId(message: string, id: string): string {
  return message.replaceAll(`${id}: `, "");
}

function byAge(a: CustomObject, b: CustomObject): number {
  const [first, second] = [a.object.metadata, b.object.metadata];
  if (first.creationTimestamp !== second.creationTimestamp)
    return first.creationTimestamp < second.creationTimestamp ? -1 : 1;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

/** Names of functions in a spec, wherever its kind has them. */
function functionsNamedIn(spec: unknown): readonly string[] {
  if (!isRecord(spec)) return [];
  const { functionName, enrichment, target, targets } = spec;
  const arns = [target, ...(Array.isArray(targets) ? targets : [])].map((each) =>
    isRecord(each) ? each["arn"] : undefined,
  );
  return [functionName, enrichment, ...arns].flatMap((text) =>
    typeof text === "string" ? (parseFunctionName(text)?.name ?? []) : [],
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
