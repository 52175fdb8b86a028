import type { FunctionResource } from "../../manifests/resources.ts";
import { timeoutMsOf } from "../../model/call-timeouts.ts";
import { aliasInForce } from "../../resources/alias-in-force.ts";
import { effectiveSpec } from "../function-rows.ts";
import { type FunctionMembers, membersOf } from "./function-fields.ts";
import { type KeptFunction, type KeptRow, revisionIdOf } from "./kept-functions.ts";

export const LATEST = "$LATEST";

/** A function, or one of its versions, as it is shown. */
export interface FunctionView {
  readonly name: string;
  /** `$LATEST`, or a number. */
  readonly version: string;
  readonly resource: FunctionResource;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly members: FunctionMembers;
  readonly timeoutSeconds: number;
  readonly revisionId: string;
  readonly lastModifiedMs: number;
  /** Processes that live do not all run it yet as it is. */
  readonly isBehind: boolean;
  /** It was never changed. */
  readonly isNew: boolean;
}

export interface AliasView {
  readonly name: string;
  readonly fn: string;
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly description: string;
  readonly revisionId: string;
}

/** `behind`: whether processes run something older than what the store held at this version. */
export type IsBehind = (version: number) => boolean;

export function latestView(fn: KeptFunction, isBehind: IsBehind): FunctionView {
  const { document, resource } = fn;
  return {
    ...shared(fn, fn, isBehind),
    version: LATEST,
    spec: effectiveSpec(document),
    timeoutSeconds: resource.timeoutMs / 1000,
  };
}

/** Not all processes run it as it is. What is written beside that, as tags are, changes nothing of it. */
export function isBeingChanged(
  { row, document }: Pick<KeptRow, "row" | "document">,
  isBehind: IsBehind,
): boolean {
  return isBehind(row.version) && !membersOf(document).isSettled;
}

/** `undefined`: there is no version of this number. */
export function versionView(fn: KeptFunction, number: string, isBehind: IsBehind): FunctionView | undefined {
  const kept = fn.versions.get(number);
  if (kept === undefined) return undefined;
  const view = shared(fn, kept, isBehind);
  const timeoutSeconds = timeoutMsOf(fn.resource, number) / 1000;
  return { ...view, version: number, spec: kept.document.spec, timeoutSeconds };
}

function shared({ name, resource }: KeptFunction, { row, document }: KeptRow, isBehind: IsBehind) {
  return {
    name,
    resource,
    members: membersOf(document),
    revisionId: revisionIdOf(row),
    lastModifiedMs: document.lastModifiedMs,
    isBehind: isBeingChanged({ row, document }, isBehind),
    isNew: document.generation === 1,
  };
}

/** `undefined`: there is no alias of this name. */
export function aliasView(
  { name: fn, aliases, resource }: KeptFunction,
  name: string,
): AliasView | undefined {
  const kept = aliases.get(name);
  const alias = resource.aliases.get(name);
  if (kept === undefined || alias === undefined) return undefined;
  const { description } = membersOf(kept.document);
  const { weights } = aliasInForce(kept.document);
  return {
    name,
    fn,
    version: alias.version,
    // As they were given: also those of 0, which no call is drawn by.
    weights: isWeights(weights) ? weights : {},
    description,
    revisionId: revisionIdOf(kept.row),
  };
}

function isWeights(value: unknown): value is Readonly<Record<string, number>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => typeof one === "number")
  );
}
