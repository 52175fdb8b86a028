import { pathParts } from "../manifests/route-path.ts";
import type { RouteResource } from "../manifests/route-resource.ts";
import { decodedPart } from "./query.ts";

export interface RouteMatch {
  readonly route: RouteResource;
  /** Decoded, by their names in the route's pattern. */
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** Routes by the method that they are of, and the one of all others. */
class ByMethod {
  readonly #own = new Map<string, RouteResource>();
  #all: RouteResource | undefined;

  add(route: RouteResource): void {
    if (route.methods.length === 0) this.#all ??= route;
    for (const method of route.methods) if (!this.#own.has(method)) this.#own.set(method, route);
  }

  get(method: string): RouteResource | undefined {
    return this.#own.get(method) ?? this.#all;
  }
}

/** A place in the patterns of paths; what follows is the next part. */
class PathNode {
  readonly texts = new Map<string, PathNode>();
  one: PathNode | undefined;
  /** Patterns that end here, that take all that is left, and that take what no other does. */
  readonly here = new ByMethod();
  readonly rest = new ByMethod();
  readonly fallback = new ByMethod();

  text(text: string): PathNode {
    const known = this.texts.get(text) ?? new PathNode();
    this.texts.set(text, known);
    return known;
  }
}

/** What answers to one name. */
interface HostRoutes {
  url: RouteResource | undefined;
  readonly paths: PathNode;
}

/**
 * Routes as requests find them: by host, then by the longest pattern of the path, then by method. It is made whole and
 * never changed: another set of routes is another table.
 */
export class RouteTable {
  readonly #hosts = new Map<string, HostRoutes>();
  readonly #anyHost = new PathNode();
  readonly size: number;

  /** `domain`: what names of function URLs end in. */
  constructor(routes: readonly RouteResource[], domain: string) {
    this.size = routes.length;
    for (const route of routes) {
      const { host, path, id } = route;
      if (path === undefined) this.#host(host ?? `${id}.${domain}`).url ??= route;
      else add(host === undefined ? this.#anyHost : this.#host(host).paths, route, path);
    }
  }

  /** `host` in lower case, without the port. */
  find(host: string, rawPath: string, method: string): RouteMatch | undefined {
    const parts = rawPath.slice(1).split("/");
    const own = this.#hosts.get(host);
    const route = own === undefined ? undefined : (take(own.paths, parts, 0, method) ?? own.url);
    const found = route ?? take(this.#anyHost, parts, 0, method);
    return found && { route: found, pathParameters: parametersOf(found, parts) };
  }

  #host(host: string): HostRoutes {
    const known = this.#hosts.get(host) ?? { url: undefined, paths: new PathNode() };
    this.#hosts.set(host, known);
    return known;
  }
}

function add(root: PathNode, route: RouteResource, path: string): void {
  const isStaged = route.stage !== "$default";
  const base = isStaged ? root.text(route.stage) : root;
  // The root of a stage is asked for with a slash behind it and without.
  if (isStaged && path === "/") base.here.add(route);
  placeOf(base, path).add(route);
}

function placeOf(base: PathNode, path: string): ByMethod {
  if (path === "$default") return base.fallback;
  let node = base;
  for (const part of pathParts(path) ?? []) {
    if (part.kind === "rest") return node.rest;
    if (part.kind === "text") node = node.text(part.text);
    else {
      node.one ??= new PathNode();
      node = node.one;
    }
  }
  return node.here;
}

/** No deeper than patterns are: what is left of a path is not looked at. */
function take(
  node: PathNode,
  parts: readonly string[],
  index: number,
  method: string,
): RouteResource | undefined {
  const part = parts[index];
  if (part === undefined) return node.here.get(method) ?? node.fallback.get(method);
  const text = node.texts.get(part) ?? (part.includes("%") ? node.texts.get(decodedPart(part)) : undefined);
  const isLast = part === "" && index === parts.length - 1;
  return (
    (text && take(text, parts, index + 1, method)) ??
    (part === "" || node.one === undefined ? undefined : take(node.one, parts, index + 1, method)) ??
    (isLast ? undefined : node.rest.get(method)) ??
    node.fallback.get(method)
  );
}

function parametersOf(
  { path, stage }: RouteResource,
  parts: readonly string[],
): Readonly<Record<string, string>> {
  if (path === undefined || !path.includes("{")) return NONE;
  const behindStage = stage === "$default" ? parts : parts.slice(1);
  const entries = (pathParts(path) ?? []).flatMap((part, index): (readonly [string, string])[] => {
    if (part.kind === "text") return [];
    const raw = part.kind === "one" ? (behindStage[index] ?? "") : behindStage.slice(index).join("/");
    return [[part.name, decodedPart(raw)]];
  });
  return Object.fromEntries(entries);
}

const NONE: Readonly<Record<string, string>> = {};
