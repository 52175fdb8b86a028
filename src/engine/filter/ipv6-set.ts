import { type Interval, uniteIntervals } from "./interval-set.ts";
import { ipv6Groups, readIpv6 } from "./ip-block.ts";

/**
 * Whether a text is an IPv6 address in any of the blocks. An address is three numbers here, of 48, 48 and 32 bits:
 * texts as short as `::` come by the ten thousand in an event, and making a key for each would take most of the time.
 */
export function compileIpv6Blocks(blocks: readonly Interval<string>[]): (text: string) => boolean {
  const union = uniteIntervals(blocks);
  const lows = union.map((block) => splitKey(block.low));
  const highs = union.map((block) => splitKey(block.high));
  return (text) => {
    if (!readIpv6(text)) return false;
    const head = joinGroups(ipv6Groups[0] ?? 0, ipv6Groups[1] ?? 0, ipv6Groups[2] ?? 0);
    const middle = joinGroups(ipv6Groups[3] ?? 0, ipv6Groups[4] ?? 0, ipv6Groups[5] ?? 0);
    const tail = joinGroups(0, ipv6Groups[6] ?? 0, ipv6Groups[7] ?? 0);
    let from = 0;
    let to = lows.length;
    while (from < to) {
      const at = (from + to) >>> 1;
      const low = lows[at];
      if (low !== undefined && compareParts(low, head, middle, tail) <= 0) from = at + 1;
      else to = at;
    }
    const high = highs[from - 1];
    return high !== undefined && compareParts(high, head, middle, tail) >= 0;
  };
}

type AddressParts = readonly [number, number, number];

function splitKey(key: string): AddressParts {
  const group = (i: number): number => key.charCodeAt(i);
  return [
    joinGroups(group(0), group(1), group(2)),
    joinGroups(group(3), group(4), group(5)),
    joinGroups(0, group(6), group(7)),
  ];
}

function joinGroups(high: number, middle: number, low: number): number {
  return (high * 65_536 + middle) * 65_536 + low;
}

function compareParts(parts: AddressParts, head: number, middle: number, tail: number): number {
  return parts[0] - head || parts[1] - middle || parts[2] - tail;
}
