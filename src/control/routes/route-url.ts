import type { RouteResource } from "../../manifests/route-resource.ts";
import type { Place } from "../../model/place.ts";

/** Where HTTP requests are served. */
export interface FrontPlace {
  /** Where it listens: `http://127.0.0.1:8090`; `undefined`: not yet, or not in this process. */
  readonly url: () => string | undefined;
  /** What function URLs end in, for whoever is outside: `functions.example.com`, or `http://functions.test:8090`. */
  readonly domain: string | undefined;
}

/** What names of function URLs end in where the operator has not said. */
export function frontDomain({ region }: Place, domain: string | undefined): string {
  return domain === undefined ? `lambda-url.${region}.localhost` : hostOf(domain);
}

/** Where requests to a route go: of one with a pattern of paths the pattern. */
export function routeUrl(route: RouteResource, place: Place, front: FrontPlace | undefined): string {
  const { id, host, path, stage } = route;
  const domain = front?.domain;
  const [scheme, port] = outside(front);
  const named = host ?? (path === undefined ? `${id}.${frontDomain(place, domain)}` : undefined);
  const name = named ?? (domain === undefined ? listenHost(front) : hostOf(domain));
  const below = path === undefined || path === "$default" ? "/" : path;
  return `${scheme}://${name}${port}${stage === "$default" ? "" : `/${stage}`}${below}`;
}

/** With a domain of the operator's something with TLS stands before it, unless that says otherwise. */
function outside(front: FrontPlace | undefined): readonly [scheme: string, port: string] {
  const domain = front?.domain;
  const given = domain?.includes("://") === true ? domain : domain === undefined ? front?.url() : undefined;
  if (given === undefined) return [domain === undefined ? "http" : "https", ""];
  const { protocol, port } = new URL(given);
  return [protocol.slice(0, -1), port === "" ? "" : `:${port}`];
}

function listenHost(front: FrontPlace | undefined): string {
  const url = front?.url();
  return url === undefined ? "localhost" : new URL(url).hostname;
}

function hostOf(domain: string): string {
  return domain.includes("://") ? new URL(domain).hostname : domain.toLowerCase();
}
