import {
  BODY_BYTES_MAX,
  type Codec,
  type Exchange,
  type Failure,
  type FrontAnswer,
  jsonAnswer,
} from "./exchange.ts";
import { payload2Answer, payload2Event } from "./payload-2.ts";

/** API Gateway's wait for a function behind an HTTP API. */
const WAIT_MS_MAX = 30_000;

/** API Gateway's HTTP API with payload format 2.0 (invocation §13.2). */
export const http2Codec: Codec = {
  bodyBytesMax: BODY_BYTES_MAX,
  waitMsMax: WAIT_MS_MAX,
  event: http2Event,
  answer: payload2Answer,
  failed: httpApiFailed,
};

export function http2Event(exchange: Exchange) {
  const { request, route, place } = exchange;
  return payload2Event(exchange, {
    routeKey: routeKeyOf(exchange),
    accountId: place.account,
    apiId: route.id,
    domainPrefix: request.host.split(".", 1)[0] ?? "",
    stage: route.stage,
  });
}

/** `GET /pets/{id}`, or `$default`. A route of all methods is one of ANY. */
function routeKeyOf({ request, route: { path = "$default", methods } }: Exchange): string {
  if (path === "$default") return path;
  return `${methods.length === 0 ? "ANY" : request.method} ${path}`;
}

export function httpApiFailed(why: Failure): FrontAnswer {
  switch (why) {
    case "forbidden":
      return jsonAnswer(403, { message: "Forbidden" });
    case "functionFailed":
    case "malformed":
      return jsonAnswer(502, { message: "Internal Server Error" });
    case "throttled":
    case "unavailable":
      return jsonAnswer(500, { message: "Internal Server Error" });
    case "tooLarge":
      return jsonAnswer(413, { message: "Request Entity Too Large" });
    case "late":
      return jsonAnswer(503, { message: "Service Unavailable" });
  }
}
