import type { Interval } from "./interval-set.ts";

/**
 * An address as a key that orders like the address: IPv4 a number, IPv6 eight code units. `undefined`: not an address.
 */
function parseIpAddress(text: string): number | string | undefined {
  if (text.includes(":")) return readIpv6(text) ? String.fromCharCode(...ipv6Groups) : undefined;
  return parseIpv4(text);
}

/** The addresses of a CIDR block, or what is wrong with it, in AWS's words (filters §4). */
export function parseIpBlock(
  text: string,
): Interval<number> | Interval<string> | { readonly reason: string } {
  const [address, mask, ...rest] = text.split("/");
  if (address === undefined || mask === undefined || mask === "" || rest.length > 0) {
    return { reason: "Malformed CIDR, one '/' required" };
  }
  const maskBits = parseMask(mask);
  if (maskBits === undefined) return { reason: "Malformed CIDR, mask bits must be an integer" };
  if (maskBits < 0) return { reason: "Malformed CIDR, mask bits must not be negative" };
  const key = parseIpAddress(address);
  if (key === undefined) {
    return { reason: `${isAddressLike(address) ? "Invalid" : "Nonstandard"} IP address: ${address}` };
  }
  if (typeof key === "number") {
    if (maskBits > 31) return { reason: "IPv4 mask bits must be < 32" };
    const size = 2 ** (32 - maskBits);
    const low = Math.floor(key / size) * size;
    return { low, isLowIncluded: true, high: low + size - 1, isHighIncluded: true };
  }
  if (maskBits > 127) return { reason: "IPv6 mask bits must be < 128" };
  return {
    low: fillHostBits(key, maskBits, false),
    isLowIncluded: true,
    high: fillHostBits(key, maskBits, true),
    isHighIncluded: true,
  };
}

const IPV6_CHARS_MAX = 39;
const IPV4_CHARS_MAX = 15;
const IPV6_GROUPS = 8;
const ZERO = 48;
const DOT = 46;
const COLON = 58;

/** The address as a number, or `undefined`. Octets are decimal, whatever their leading zeros, as in AWS. */
export function parseIpv4(text: string): number | undefined {
  let address = 0;
  let octet = 0;
  let digits = 0;
  let octets = 0;
  if (text.length > IPV4_CHARS_MAX) return undefined;
  for (let i = 0; i <= text.length; i++) {
    const unit = i === text.length ? DOT : text.charCodeAt(i);
    if (unit === DOT) {
      if (digits === 0 || octet > 255) return undefined;
      address = address * 256 + octet;
      octets++;
      octet = 0;
      digits = 0;
    } else {
      const digit = unit - ZERO;
      if (digit < 0 || digit > 9) return undefined;
      octet = octet * 10 + digit;
      digits++;
    }
  }
  return octets === 4 ? address : undefined;
}

/** Groups of the address that `readIpv6` has read last. */
export const ipv6Groups = new Uint16Array(IPV6_GROUPS);

/** Reads an address into `ipv6Groups`; false: it is none. A dotted end or a zone makes it none, as in AWS. */
export function readIpv6(text: string): boolean {
  if (text.length > IPV6_CHARS_MAX) return false;
  let count = 0;
  let gapAt = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gapAt = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === IPV6_GROUPS) return false;
    let group = 0;
    const start = at;
    for (; at < text.length && text.charCodeAt(at) !== COLON; at++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) return false;
      group = group * 16 + digit;
    }
    if (at === start || at - start > 4) return false;
    ipv6Groups[count++] = group;
    if (at === text.length) break;
    at++;
    if (at === text.length) return false;
    if (text.charCodeAt(at) === COLON) {
      if (gapAt >= 0) return false;
      gapAt = count;
      at++;
    }
  }
  if (gapAt < 0 ? count !== IPV6_GROUPS : count === IPV6_GROUPS) return false;
  if (gapAt >= 0) openGap(gapAt, count);
  return true;
}

/**
 * Moves the groups behind the `::` to the end, with zeros before them. By hand: the array's own methods cost more here.
 */
function openGap(gapAt: number, count: number): void {
  let to = IPV6_GROUPS - 1;
  for (let from = count - 1; from >= gapAt; from--) ipv6Groups[to--] = ipv6Groups[from] ?? 0;
  for (; to >= gapAt; to--) ipv6Groups[to] = 0;
}

function hexDigit(unit: number): number {
  if (unit >= ZERO && unit <= 57) return unit - ZERO;
  const letter = unit | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function fillHostBits(key: string, maskBits: number, isHigh: boolean): string {
  let filled = "";
  for (let i = 0; i < IPV6_GROUPS; i++) {
    const netBits = Math.min(16, Math.max(0, maskBits - i * 16));
    const hostMask = 0xffff >>> netBits;
    const group = key.charCodeAt(i);
    filled += String.fromCharCode(isHigh ? group | hostMask : group & ~hostMask & 0xffff);
  }
  return filled;
}

/** Digits with an optional sign, small enough for AWS's 32-bit reading of it. */
function parseMask(text: string): number | undefined {
  const digits = text.startsWith("-") || text.startsWith("+") ? text.slice(1) : text;
  if (digits === "" || digits.length > 9) return undefined;
  for (let i = 0; i < digits.length; i++) {
    const unit = digits.charCodeAt(i);
    if (unit < ZERO || unit > 57) return undefined;
  }
  return Number(text);
}

/** AWS calls what has an address's characters "Invalid" and all else "Nonstandard". */
function isAddressLike(text: string): boolean {
  const isIpv6 = text.includes(":");
  if (!isIpv6 && text.split(".").length !== 4) return false;
  if (!isIpv6 && text.split(".").includes("")) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isDigit = unit >= ZERO && unit <= 57;
    if (!(isDigit || (isIpv6 ? text.charAt(i) === ":" || hexDigit(unit) >= 0 : unit === DOT))) return false;
  }
  return true;
}
