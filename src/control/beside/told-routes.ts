import type { FunctionResource } from "../../manifests/resources.ts";
import type { RouteResource } from "../../manifests/route-resource.ts";
import { type Reason, reason } from "../../model/reason.ts";
import type { RouteView } from "../routes/route-views.ts";
import { type ToldReason, toldReason } from "../told-parts.ts";

/** A route as people see it, with why nobody can use it now. */
export interface ToldRoute extends Omit<RouteView, "problem"> {
  readonly problem?: string;
  readonly reasons: readonly ToldReason[];
}

export function toldRoute(
  view: RouteView,
  { functionName, qualifier }: RouteResource,
  functions: readonly FunctionResource[],
  isServed: boolean,
): ToldRoute {
  const fn = functions.find(({ name }) => name === functionName);
  const isThere = fn !== undefined && hasQualifier(fn, qualifier);
  const missing = reason("noSuchFunction", { facts: { function: functionName, problem: view.functionName } });
  const reasons: readonly Reason[] = [
    ...(isThere ? [] : [missing]),
    ...(fn?.isReserved === true && fn.concurrency === 0 ? [reason("zeroConcurrency")] : []),
    ...(isServed ? [] : [reason("frontOff")]),
  ];
  return { ...view, reasons: reasons.map(toldReason) };
}

/** A function without versions and aliases may be called by any: it is only shown. */
export function hasQualifier(
  { aliases, versions, target }: FunctionResource,
  qualifier: string | undefined,
): boolean {
  if (qualifier === undefined || qualifier === "$LATEST") return true;
  const hasNone = aliases.size + versions.size === 0 && target.kind !== "runtime";
  return hasNone || aliases.has(qualifier) || versions.has(qualifier);
}

export function routeLines({
  name,
  shape,
  url,
  functionName,
  methods,
  authType,
}: ToldRoute): readonly string[] {
  const of = methods.length === 0 ? "all methods" : methods.join(", ");
  return [`route ${name}: ${shape}, ${of}, ${authType}`, `  ${url} → ${functionName}`];
}
