import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type BlockList, isIP } from "node:net";
import type { Header } from "./exchange.ts";
import type { FrontLimits } from "./front-limits.ts";
import { ownHeaders } from "./wire-headers.ts";

/** Why a request is not looked at any further. */
export interface WireFault {
  readonly status: number;
  readonly message: string;
}

/** Headers that a request has once at most: two of them are two readings of one message. */
const SINGLE: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding", "authorization"]);

/**
 * What the parser lets through and this server does not: whatever another server on the way could read otherwise than
 * this one does, and more headers than one may have.
 */
export function wireFault(request: IncomingMessage, { headersMax }: FrontLimits): WireFault | undefined {
  const { rawHeaders, url = "", httpVersion } = request;
  if (rawHeaders.length > headersMax * 2)
    return { status: 431, message: `A request may have ${headersMax} headers.` };
  if (httpVersion !== "1.1" && httpVersion !== "1.0")
    return { status: 505, message: "Requests are served by HTTP/1.1." };
  // An absolute URL has a host of its own, which may be another than the header's.
  if (!/^\/[\x21-\x7e]*$/.test(url) || url.includes("#"))
    return { status: 400, message: "The target of a request is a path that begins with a slash." };
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    // plant: a-header-that-may-come-once-comes-twice
    if (SINGLE.has(name) && seen.has(name))
      return { status: 400, message: `The header ${name} comes more than once.` };
    seen.add(name);
  }
  return framingFault(request, seen);
}

function framingFault(
  { headers, httpVersion }: IncomingMessage,
  names: ReadonlySet<string>,
): WireFault | undefined {
  if (!names.has("host")) return { status: 400, message: "The request has no Host header." };
  if (!/^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(headers.host ?? ""))
    return { status: 400, message: "The Host header is no name." };
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && names.has("content-length"))
    return { status: 400, message: "The request says its length in two ways." };
  if (coding !== undefined && (httpVersion === "1.0" || coding.toLowerCase() !== "chunked"))
    return { status: 400, message: "The only transfer coding that is served is chunked, in HTTP/1.1." };
  const upgrade = headers.upgrade?.toLowerCase();
  if (upgrade?.includes("websocket") === true) return { status: 400, message: "WebSockets are not served." };
  return undefined;
}

/** Where a request came from. */
export interface Origin {
  readonly sourceIp: string;
  /** As the function is told: without what is of the connection alone. */
  readonly headers: readonly Header[];
}

const FORWARDED: ReadonlySet<string> = new Set(["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"]);

/**
 * What others say of where a request came from counts when they are trusted: else anybody could say so. `withheld`:
 * names that are not the function's to see.
 */
export function originOf(
  request: IncomingMessage,
  trusted: BlockList | undefined,
  isEncrypted: boolean,
  withheld: ReadonlySet<string>,
  nowMs: number,
): Origin {
  const { rawHeaders, socket } = request;
  const peer = plainAddress(socket.remoteAddress ?? "");
  // plant: anybody-says-where-a-request-came-from
  const isTrusted = trusted !== undefined && isListed(trusted, peer);
  const said = (name: string) => {
    const value = isTrusted ? request.headers[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const chain = (said("x-forwarded-for") ?? "").split(",").map(forwardedAddress);
  const forwardedFor = said("x-forwarded-for");
  const headers: Header[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = [rawHeaders[index], rawHeaders[index + 1]];
    const lower = name.toLowerCase();
    if (!FORWARDED.has(lower) && !withheld.has(lower)) headers.push([name, value]);
  }
  const proto = said("x-forwarded-proto") ?? (isEncrypted ? "https" : "http");
  headers.push(
    ["x-forwarded-for", forwardedFor === undefined ? peer : `${forwardedFor}, ${peer}`],
    ["x-forwarded-port", said("x-forwarded-port") ?? portOf(request, isEncrypted)],
    ["x-forwarded-proto", proto],
  );
  if (request.headers["x-amzn-trace-id"] === undefined) headers.push(["x-amzn-trace-id", newTraceId(nowMs)]);
  return { sourceIp: isTrusted ? outermost(chain, trusted, peer) : peer, headers: ownHeaders(headers) };
}

/**
 * From this end: the first that is no trusted proxy. Behind one that names nobody (`unknown`) nothing is known, and it
 * is the last of which anything is.
 */
function outermost(chain: readonly string[], trusted: BlockList, peer: string): string {
  let known = peer;
  for (const address of chain.toReversed()) {
    if (address === "") continue;
    // plant: an-address-that-is-none-is-where-a-request-came-from
    if (isIP(address) === 0) return known;
    known = address;
    if (!isListed(trusted, address)) return known;
  }
  return known;
}

/** Some proxies write the port as well: `192.0.2.1:8080`, `[2001:db8::1]:8080`. */
function forwardedAddress(text: string): string {
  const address = text.trim();
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(address) ?? [];
  return plainAddress(inBrackets ?? plain ?? address);
}

function portOf({ headers }: IncomingMessage, isEncrypted: boolean): string {
  return /:(\d{1,5})$/.exec(headers.host ?? "")?.[1] ?? (isEncrypted ? "443" : "80");
}

/** An address of IPv4 that came by a socket of IPv6 is one of IPv4. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}

function isListed(list: BlockList, address: string): boolean {
  return list.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

const TRACE_BYTES = 12;
/** Random bytes are drawn for many requests at once: asking for twelve costs as much as asking for thousands. */
const chance = { bytes: Buffer.alloc(0), taken: 0 };

function newTraceId(nowMs: number): string {
  if (chance.taken + TRACE_BYTES > chance.bytes.length) {
    chance.bytes = randomBytes(TRACE_BYTES * 256);
    chance.taken = 0;
  }
  const begin = chance.taken;
  chance.taken += TRACE_BYTES;
  const random = chance.bytes.toString("hex", begin, chance.taken);
  return `Root=1-${Math.floor(nowMs / 1000).toString(16)}-${random}`;
}
