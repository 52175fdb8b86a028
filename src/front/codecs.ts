import type { RouteShape } from "../manifests/route-resource.ts";
import { albCodec, albMultiCodec } from "./codec-alb.ts";
import { http1Codec } from "./codec-http1.ts";
import { http2Codec } from "./codec-http2.ts";
import { restCodec } from "./codec-rest.ts";
import { urlCodec } from "./codec-url.ts";
import type { Codec } from "./exchange.ts";

export const CODECS: Readonly<Record<RouteShape, Codec>> = {
  url: urlCodec,
  http1: http1Codec,
  http2: http2Codec,
  rest: restCodec,
  alb: albCodec,
  albMulti: albMultiCodec,
};
