import type { IncomingMessage } from "node:http";
import type { BlockList } from "node:net";
import type { Place } from "../model/place.ts";
import { CODECS } from "./codecs.ts";
import type { Codec, Exchange, Signer } from "./exchange.ts";
import type { RouteMatch, RouteTable } from "./route-table.ts";
import { type Origin, originOf } from "./wire-request.ts";

/** Where a request goes, and what it says of itself. */
export interface Way extends RouteMatch {
  readonly codec: Codec;
  readonly origin: Origin;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly host: string;
  readonly nowMs: number;
}

export interface WayOptions {
  /** Proxies whose words count. */
  readonly trusted?: BlockList | undefined;
  readonly isEncrypted: boolean;
}

/** A signature is nobody's business behind the one who has looked at it. */
const OF_SIGNATURES: ReadonlySet<string> = new Set(["authorization", "x-amz-security-token"]);
const NOTHING: ReadonlySet<string> = new Set();

/** `undefined`: no route takes it. */
export function wayOf(
  request: IncomingMessage,
  host: string,
  table: RouteTable,
  nowMs: number,
  { trusted, isEncrypted }: WayOptions,
): Way | undefined {
  const { url = "/", method = "GET" } = request;
  const end = url.indexOf("?");
  const [rawPath, rawQuery] = end < 0 ? [url, ""] : [url.slice(0, end), url.slice(end + 1)];
  const match = table.find(host, rawPath, method);
  if (match === undefined) return undefined;
  const { route, pathParameters } = match;
  const withheld = route.authType === "AWS_IAM" ? OF_SIGNATURES : NOTHING;
  const origin = originOf(request, trusted, isEncrypted, withheld, nowMs);
  return { route, pathParameters, codec: CODECS[route.shape], origin, rawPath, rawQuery, host, nowMs };
}

export function exchangeOf(
  { method = "GET", httpVersion }: IncomingMessage,
  { route, pathParameters, rawPath, rawQuery, host, nowMs, origin: { headers, sourceIp } }: Way,
  { requestId, body, signer }: { requestId: string; body: Buffer; signer: Signer | undefined },
  place: Place,
): Exchange {
  const protocol = `HTTP/${httpVersion}`;
  const request = {
    ...{ requestId, method, rawPath, rawQuery, headers, body, host, protocol },
    ...{ sourceIp, nowMs, signer },
  };
  return { request, route, pathParameters, place };
}
