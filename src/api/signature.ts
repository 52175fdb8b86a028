import { createHmac } from "node:crypto";
import { sha256 } from "./access-credentials.ts";

/** What a signature is made over. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The claims of a request that is signed as AWS's are (Signature Version 4). */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** `20260131` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: Buffer;
  /** `20260131T120000Z` */
  readonly timestamp: string;
  readonly epochMs: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const AUTHORIZATION_CHARS_MAX = 4096;
const SIGNED_HEADERS_MAX = 64;

/** `undefined`: the headers are not those of a signed request, or leave out what must be signed. */
export function readSignatureClaim({ headers }: SignedRequest): SignatureClaim | undefined {
  const authorization = headerOf(headers, "authorization") ?? "";
  const timestamp = headerOf(headers, "x-amz-date") ?? "";
  if (authorization.length > AUTHORIZATION_CHARS_MAX || !authorization.startsWith(`${ALGORITHM} `))
    return undefined;
  const parts = new Map(
    authorization
      .slice(ALGORITHM.length + 1)
      .split(",")
      .map((part) => part.trim().split("=", 2))
      .map(([name = "", value = ""]) => [name, value]),
  );
  const [accessKeyId = "", day = "", region = "", service = "", end] = (parts.get("Credential") ?? "").split(
    "/",
  );
  const signature = parts.get("Signature") ?? "";
  const signedHeaders = (parts.get("SignedHeaders") ?? "").split(";");
  const time = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(timestamp);
  const isWhole =
    end === "aws4_request" &&
    /^[A-Za-z0-9]{1,128}$/.test(accessKeyId) &&
    /^[0-9a-f]{64}$/.test(signature) &&
    time !== null &&
    timestamp.startsWith(day) &&
    day.length === 8 &&
    signedHeaders.length <= SIGNED_HEADERS_MAX &&
    isEnoughSigned(signedHeaders, headers);
  if (!isWhole) return undefined;
  const [, year, month, date, hour, minute, second] = time.map(Number);
  const epochMs = Date.UTC(year ?? 0, (month ?? 1) - 1, date, hour, minute, second);
  return {
    accessKeyId,
    day,
    region,
    service,
    signedHeaders,
    signature: Buffer.from(signature, "hex"),
    timestamp,
    epochMs,
  };
}

/** Host, and all that AWS gives a meaning: what is not signed could be changed on the way. */
function isEnoughSigned(signed: readonly string[], headers: SignedRequest["headers"]): boolean {
  const meant = Object.keys(headers).filter((name) => name.startsWith("x-amz-"));
  // HTTP/2 has it by another name.
  const host = Object.hasOwn(headers, ":authority") ? ":authority" : "host";
  return [host, ...meant].every((name) => signed.includes(name));
}

/** SHA-256 of the body as a signed header states it; `undefined`: it must be made of the body itself. */
export function statedBodyHash({ headers }: SignedRequest): string | undefined {
  const stated = headerOf(headers, "x-amz-content-sha256") ?? "";
  return /^[0-9a-f]{64}$/.test(stated) ? stated : undefined;
}

/** The signature that the owner of the secret would have made; `bodyHash` in lower-case hexadecimal digits. */
export function expectedSignature(
  request: SignedRequest,
  claim: SignatureClaim,
  secret: string,
  bodyHash: string,
): Buffer {
  const { day, region, service, timestamp } = claim;
  const canonical = sha256(canonicalRequest(request, claim.signedHeaders, bodyHash)).toString("hex");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, "aws4_request"].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
  return hmac(key, [ALGORITHM, timestamp, scope, canonical].join("\n"));
}

function canonicalRequest(
  { method, url, headers }: SignedRequest,
  signed: readonly string[],
  bodyHash: string,
): string {
  const [path = "", ...query] = url.split("?");
  const lines = signed.map(
    (name) => `${name}:${(headerOf(headers, name) ?? "").trim().replace(/ +/g, " ")}\n`,
  );
  return [
    method,
    path.split("/").map(encode).join("/"),
    canonicalQuery(query.join("?")),
    lines.join(""),
    signed.join(";"),
    bodyHash,
  ].join("\n");
}

function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter((pair) => pair !== "");
  return pairs
    .map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return `${encode(decodeForm(name))}=${encode(decodeForm(value.join("=")))}`;
    })
    .sort()
    .join("&");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * A plus is read as a blank: it must be signed as one, or it could be put in a blank's or a plus's place on the way.
 */
function decodeForm(text: string): string {
  return decode(text.replaceAll("+", " "));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function headerOf(headers: SignedRequest["headers"], name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return typeof value === "string" ? value : value?.join(",");
}
