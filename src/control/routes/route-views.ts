import type { FunctionResource } from "../../manifests/resources.ts";
import type { RouteResource } from "../../manifests/route-resource.ts";
import type { Place } from "../../model/place.ts";
import { type FrontPlace, routeUrl } from "./route-url.ts";

/** A route as it is shown. */
export interface RouteView {
  readonly name: string;
  readonly shape: RouteResource["shape"];
  readonly functionName: string;
  readonly url: string;
  readonly methods: readonly string[];
  readonly authType: RouteResource["authType"];
  readonly invokeMode: RouteResource["invokeMode"];
  /** Why nobody can use it now, for people; absent: nothing is in the way. */
  readonly problem?: string;
}

export function routeViews(
  routes: readonly RouteResource[],
  functions: readonly FunctionResource[],
  place: Place,
  front: FrontPlace | undefined,
): readonly RouteView[] {
  return routes.map((route) => {
    const { name, shape, functionName, qualifier, methods, authType, invokeMode } = route;
    const problem = problemOf(route, functions, front);
    return {
      ...{ name, shape, methods, authType, invokeMode },
      functionName: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
      url: routeUrl(route, place, front),
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

function problemOf(
  { functionName, qualifier }: RouteResource,
  functions: readonly FunctionResource[],
  front: FrontPlace | undefined,
): string | undefined {
  const fn = functions.find(({ name }) => name === functionName);
  if (fn === undefined)
    return `There is no function ${functionName}: its requests are answered 403. Declare it.`;
  const isThere = qualifier === undefined || fn.aliases.has(qualifier) || fn.versions.has(qualifier);
  const hasNone = fn.aliases.size + fn.versions.size === 0 && fn.target.kind !== "runtime";
  if (!isThere && !hasNone)
    return `The function ${functionName} has no alias or version ${qualifier}: its requests are answered 403.`;
  if (front?.url() === undefined)
    return "This process listens for no HTTP requests. Start it with --front HOST:PORT.";
  return undefined;
}
