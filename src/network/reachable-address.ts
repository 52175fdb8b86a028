import { BlockList, isIP } from "node:net";
import type { NetworkReach } from "../model/network-reach.ts";

type Family = "ipv4" | "ipv6";

const NEVER = blockList([
  // This network: a connection there comes to this machine.
  "0.0.0.0/8",
  // Link-local, with the metadata service of most clouds.
  "169.254.0.0/16",
  "100.100.100.200/32",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/128",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
  "fd00:ec2::254/128",
]);
const LOOPBACK = blockList(["127.0.0.0/8", "::1/128"]);

/** IPv6 addresses that stand for one of IPv4, by their first bits, with the first of the two groups that hold it. */
const EMBEDDING: readonly (readonly [block: BlockList, group: number])[] = [
  [blockList(["::ffff:0:0/96"]), 6],
  [blockList(["::/96"]), 6],
  [blockList(["64:ff9b::/96"]), 6],
  [blockList(["64:ff9b:1::/48"]), 6],
  [blockList(["2002::/16"]), 1],
];

/**
 * Why a connection to this address of a host may not be made; `undefined`: it may. `host`: what was asked for, a name
 * or the address itself. The address that is looked at here must be the one that is dialled: a name can be another's a
 * moment later.
 */
export function refusalOf(host: string, address: string, reach: NetworkReach): string | undefined {
  const family = isIP(address);
  if (family === 0) return `${address} is not an address`;
  const inner = family === 6 ? embedded(address) : undefined;
  const meant = [address, ...(inner === undefined ? [] : [inner])];
  // ::1 and :: also have the form of an embedded address.
  if (meant.some((each) => contains(NEVER, each)) && !contains(LOOPBACK, address))
    return "it is a link-local, metadata, multicast or unspecified address, which callers of the API may not name";
  if (!reach.allowsLoopback && meant.some((each) => contains(LOOPBACK, each)))
    return "it is on loopback, which callers may name only where the API itself listens on loopback";
  if (reach.hosts !== undefined && !isListed(host, meant, reach.hosts))
    return "it is none of those that --broker-hosts names";
  return undefined;
}

/** The host of an address that only this machine reaches. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || (isIP(host) !== 0 && contains(LOOPBACK, host));
}

/** A name, an address, or a block of addresses. */
export function isHostPattern(text: string): boolean {
  const [address = "", bits] = text.split("/");
  const family = isIP(address);
  if (family !== 0) return bits === undefined || isBits(bits, family === 4 ? 32 : 128);
  return bits === undefined && /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?$/.test(text);
}

function isListed(host: string, addresses: readonly string[], patterns: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return patterns.some((pattern) => {
    if (isIP(pattern.split("/")[0] ?? "") !== 0) {
      const block = blockList([pattern]);
      return addresses.some((address) => contains(block, address));
    }
    const wanted = pattern.toLowerCase();
    return wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) : name === wanted;
  });
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address));
}

function familyOf(address: string): Family {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}

function blockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", bits] = block.split("/");
    const family = familyOf(address);
    list.addSubnet(address, Number(bits ?? (family === "ipv4" ? 32 : 128)), family);
  }
  return list;
}

function isBits(text: string, max: number): boolean {
  return /^\d{1,3}$/.test(text) && Number(text) <= max;
}

function embedded(address: string): string | undefined {
  const found = EMBEDDING.find(([block]) => block.check(address, "ipv6"));
  if (found === undefined) return undefined;
  const groups = groupsOf(address);
  const [, group] = found;
  const [high = 0, low = 0] = [groups[group], groups[group + 1]];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const text = address.split("%")[0] ?? "";
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain =
    dotted === null
      ? text
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = "", tail] = plain.split("::");
  const read = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const before = read(head);
  if (tail === undefined) return before;
  const after = read(tail);
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}
