import { type RouteResource, routeClaims, routeResource } from "../../manifests/route-resource.ts";
import { type RouteSpec, routeSpec } from "../../manifests/route-schema.ts";
import type { ResourceRow } from "../../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument } from "../../resources/document.ts";
import { ROUTE_KIND } from "../../resources/kinds.ts";
import { type Declaration, effectiveSpec } from "../function-rows.ts";

/** A row of a route that can be read, with what it says. */
export interface KeptRoute {
  readonly row: ResourceRow;
  readonly document: ResourceDocument;
  readonly route: RouteResource;
}

export interface RoutesRead {
  /** In the order of names, without those that are orphaned. */
  readonly routes: readonly KeptRoute[];
  /** Names of rows that this version cannot read. */
  readonly unreadable: readonly string[];
}

/** The routes that rows say; they are checked as manifests are. */
export function routesOf(rows: readonly ResourceRow[]): RoutesRead {
  const unreadable: string[] = [];
  const routes = rows
    .filter(({ kind }) => kind === ROUTE_KIND)
    .flatMap((row): KeptRoute[] => {
      const document = readDocument(row.document);
      if (document !== undefined && isOrphaned(document)) return [];
      const spec = document && routeSpec.safeParse(effectiveSpec(document)).data;
      const route = spec && routeResource(row.name, spec);
      if (document !== undefined && route !== undefined) return [{ row, document, route }];
      unreadable.push(`route ${row.name}`);
      return [];
    });
  return { routes: routes.toSorted((a, b) => (a.route.name < b.route.name ? -1 : 1)), unreadable };
}

/** As manifests declare it. */
export function routeDeclaration(route: RouteResource): Declaration {
  const { name, id: _id, groupId: _groupId, functionName, qualifier, ...fields } = route;
  const named = qualifier === undefined ? functionName : `${functionName}:${qualifier}`;
  const spec: Partial<RouteSpec> = { functionName: named, ...withoutUndefined(fields) };
  return { kind: ROUTE_KIND, name, spec, claims: routeClaims(route) };
}

function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
