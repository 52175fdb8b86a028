import type { Exchange, FrontRequest } from "../../../src/front/exchange.ts";
import { type RouteResource, routeResource } from "../../../src/manifests/route-resource.ts";
import { routeSpec } from "../../../src/manifests/route-schema.ts";

/** A route of the function `orders`, as a manifest with these fields gives it. */
export function routeOf(spec: object = {}, name = "orders-url"): RouteResource {
  const parsed = routeSpec.parse({ functionName: "orders", ...spec });
  const route = routeResource(name, parsed);
  if (route === undefined) throw new Error("the route is none");
  return route;
}

const REQUEST: FrontRequest = {
  requestId: "0b5b2c0e-9d3a-4d6c-8a4a-3f1d2c3b4a59",
  method: "GET",
  rawPath: "/",
  rawQuery: "",
  headers: [],
  body: Buffer.alloc(0),
  host: "orders-url.lambda-url.eu-west-1.localhost",
  protocol: "HTTP/1.1",
  sourceIp: "192.0.2.10",
  nowMs: Date.UTC(2020, 2, 12, 19, 3, 58, 390),
};

interface Given {
  readonly request?: Partial<FrontRequest>;
  readonly route?: RouteResource;
  readonly pathParameters?: Readonly<Record<string, string>>;
}

export function exchangeOf({ request = {}, route = routeOf(), pathParameters = {} }: Given = {}): Exchange {
  const place = { region: "eu-west-1", account: "123456789012" };
  return { request: { ...REQUEST, ...request }, route, pathParameters, place };
}

/** As a function gets it. */
export function asJson(event: object): unknown {
  return JSON.parse(JSON.stringify(event));
}

export function jsonPayload(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
