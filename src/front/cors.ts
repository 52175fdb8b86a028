import type { RouteCors } from "../manifests/route-resource.ts";
import type { FrontAnswer, Header } from "./exchange.ts";
import { headerValue } from "./wire-headers.ts";

/**
 * The answer to a browser that asks whether it may, which never reaches the function (invocation §13.1): an empty 200,
 * without grants where it may not. `undefined`: the request is none of that kind.
 */
export function preflightAnswer(
  cors: RouteCors,
  method: string,
  headers: readonly Header[],
): FrontAnswer | undefined {
  const wanted = headerValue(headers, "access-control-request-method");
  const origin = headerValue(headers, "origin");
  if (method !== "OPTIONS" || wanted === undefined || origin === undefined) return undefined;
  const asked = (headerValue(headers, "access-control-request-headers") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const known = cors.allowHeaders.map((name) => name.toLowerCase());
  const isGranted =
    allowedOrigin(cors, origin) !== undefined &&
    (cors.allowMethods.includes("*") || cors.allowMethods.some((each) => each === wanted)) &&
    asked.every((name) => known.includes("*") || known.includes(name));
  const empty: FrontAnswer = { status: 200, headers: [["content-type", "application/json"]], body: "" };
  if (!isGranted) return empty;
  const grants: Header[] = [
    ...originHeaders(cors, origin),
    ["access-control-allow-methods", cors.allowMethods.join(",")],
    ...(cors.allowHeaders.length === 0
      ? []
      : [["access-control-allow-headers", cors.allowHeaders.join(",")] as const]),
    ...(cors.maxAge === undefined ? [] : [["access-control-max-age", String(cors.maxAge)] as const]),
  ];
  return { ...empty, headers: [...empty.headers, ...grants] };
}

/** What is configured stands in place of what the function says. */
export function withCors(
  given: readonly Header[],
  cors: RouteCors,
  requested: readonly Header[],
): readonly Header[] {
  const origin = headerValue(requested, "origin");
  if (origin === undefined || allowedOrigin(cors, origin) === undefined) return given;
  const own: Header[] = [
    ...originHeaders(cors, origin),
    ...(cors.exposeHeaders.length === 0
      ? []
      : [["access-control-expose-headers", cors.exposeHeaders.join(",")] as const]),
  ];
  const names = new Set(own.map(([name]) => name).filter((name) => name !== "vary"));
  return [...given.filter(([name]) => !names.has(name.toLowerCase())), ...own];
}

function originHeaders(cors: RouteCors, origin: string): readonly Header[] {
  const allowed = allowedOrigin(cors, origin) ?? "";
  return [
    ["access-control-allow-origin", allowed],
    ...(allowed === "*" ? [] : [["vary", "Origin"] as const]),
    ...(cors.allowCredentials ? [["access-control-allow-credentials", "true"] as const] : []),
  ];
}

/** As AWS compares it: letter by letter. */
function allowedOrigin({ allowOrigins }: RouteCors, origin: string): string | undefined {
  if (allowOrigins.includes("*")) return "*";
  return allowOrigins.includes(origin) ? origin : undefined;
}
