import type { RouteResource } from "../../manifests/route-resource.ts";
import type { ResourceRow } from "../../ports/resource-store.ts";
import { type RoutesRead, routesOf } from "./route-rows.ts";

/** The routes of this process, as the last look had the rows: all of them change at once. */
export class RouteBook {
  #routes: readonly RouteResource[] = [];
  readonly #listeners = new Set<(routes: readonly RouteResource[]) => void>();

  get routes(): readonly RouteResource[] {
    return this.#routes;
  }

  /** Returns names of rows that cannot be read. */
  declare(rows: readonly ResourceRow[]): RoutesRead["unreadable"] {
    const { routes, unreadable } = routesOf(rows);
    this.#routes = routes.map(({ route }) => route);
    for (const listener of this.#listeners) listener(this.#routes);
    return unreadable;
  }

  /** Called now, and whenever they are others. */
  watch(listener: (routes: readonly RouteResource[]) => void): void {
    this.#listeners.add(listener);
    listener(this.#routes);
  }
}
