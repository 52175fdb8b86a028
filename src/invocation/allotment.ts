/** How a function's concurrency is divided among the processes of a store: the content of one cell. */
export interface Allotment {
  /** Calls at once, over all processes. */
  readonly limit: number;
  /** In the order of their turns, for what does not divide evenly. */
  readonly parts: readonly Part[];
}

export interface Part {
  readonly process: string;
  /** It starts no call beyond these. */
  readonly granted: number;
  /** What it could use. */
  readonly wanted: number;
}

/** What one process has to say, and what it knows of the others. */
export interface Standing {
  readonly process: string;
  readonly running: number;
  readonly wanted: number;
  /** Processes that live, this one among them. */
  readonly living: number;
  isGone(process: string): boolean;
  /** It has had its turn for long enough: others may wait that have nothing at all. */
  readonly isTurnOver: boolean;
}

/** The cell after this process's look at it. */
export interface Allotted {
  readonly allotment: Allotment;
  /** How many calls may run here, counting the one that starts: never more than is granted. */
  readonly startsBelow: number;
}

/**
 * One process's look at the cell: strikes the parts of processes that are gone, says what it wants, takes of what is
 * free, and gives up what others are short of. What runs is never given up: a grant falls as calls end.
 */
export function allot(seen: Allotment, standing: Standing): Allotted {
  const { process, wanted, isGone } = standing;
  const before = seen.parts.find((part) => part.process === process);
  const others = seen.parts.filter((part) => part.process !== process && !isGone(part.process));
  const own: Part = { process, granted: before?.granted ?? 0, wanted: Math.min(wanted, seen.limit) };
  const isLast = before === undefined || isWaitedFor(seen, own, others, standing);
  const place = isLast ? others.length : others.filter((part) => isAhead(seen, part, before)).length;
  const turns = others.toSpliced(place, 0, own);
  const { granted, startsBelow } = targetOf(seen.limit, turns, own, others, standing);
  const parts = turns.toSpliced(place, 1, { ...own, granted });
  const left = parts.filter((part) => part.granted > 0 || part.wanted > 0);
  return { allotment: { limit: seen.limit, parts: left }, startsBelow };
}

function isAhead({ parts }: Allotment, part: Part, other: Part): boolean {
  return parts.indexOf(part) < parts.indexOf(other);
}

/**
 * Max-min shares: nobody gets more than it wants, what that leaves is divided evenly, and what does not divide goes to
 * the first in turn. Together they are the limit, or all that is wanted.
 */
export function sharesOf(limit: number, parts: readonly Part[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  let left = limit;
  let waiting = parts.filter((part) => part.wanted > 0);
  while (waiting.length > 0 && left > 0) {
    const even = Math.floor(left / waiting.length);
    const modest = waiting.filter(({ wanted }) => wanted <= even);
    if (modest.length === 0) {
      const odd = left - even * waiting.length;
      for (const [turn, { process }] of waiting.entries()) shares.set(process, even + (turn < odd ? 1 : 0));
      return shares;
    }
    for (const { process, wanted } of modest) {
      shares.set(process, wanted);
      left -= wanted;
    }
    waiting = waiting.filter((part) => !modest.includes(part));
  }
  return shares;
}

/** More want a call than may run: who has had its turn goes behind those that have nothing. */
function isWaitedFor(
  { limit }: Allotment,
  own: Part,
  others: readonly Part[],
  { isTurnOver }: Standing,
): boolean {
  if (!isTurnOver || own.granted === 0) return false;
  const wanting = others.filter((part) => part.wanted > 0);
  return wanting.length + 1 > limit && wanting.some((part) => part.granted === 0);
}

function targetOf(
  limit: number,
  parts: readonly Part[],
  own: Part,
  others: readonly Part[],
  { running, living }: Standing,
): { readonly granted: number; readonly startsBelow: number } {
  const { granted, wanted } = own;
  const shares = sharesOf(limit, parts);
  const share = shares.get(own.process) ?? 0;
  const kept = (least: number) => Math.min(granted, Math.max(running, least));
  const free = limit - granted - sum(others.map((part) => part.granted));
  // plant: a-lowered-limit-is-not-heeded
  // The limit was lowered: nothing starts anywhere until so many have ended.
  if (free < 0) return { granted: kept(share), startsBelow: 0 };
  const missing = sum(others.map((part) => Math.max(0, (shares.get(part.process) ?? 0) - part.granted)));
  // plant: who-has-more-than-its-share-keeps-it
  if (granted > share && missing > free) return { granted: kept(share), startsBelow: share };
  if (wanted === 0) return { granted: kept(0), startsBelow: kept(0) };
  // More than is asked for now, so that the next call finds it; never what others are short of.
  const ample = Math.max(share, Math.min(granted, Math.ceil(limit / living)));
  if (granted > ample) return { granted: kept(ample), startsBelow: kept(ample) };
  if (wanted <= granted) return { granted, startsBelow: granted };
  const first = Math.min(Math.max(0, share - granted), free);
  const spare = Math.max(0, free - first - missing);
  const more = Math.max(0, Math.ceil(limit / living) - granted - first);
  // plant: a-grant-is-raised-beyond-what-is-free
  const raised = granted + first + Math.min(more, spare);
  return { granted: raised, startsBelow: raised };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

export function writeAllotment({ limit, parts }: Allotment): string {
  return JSON.stringify({
    limit,
    parts: parts.map(({ process, granted, wanted }) => [process, granted, wanted]),
  });
}

/** `undefined`: it is none, and is made anew. */
export function readAllotment(document: string): Allotment | undefined {
  try {
    const value: unknown = JSON.parse(document);
    if (typeof value !== "object" || value === null || !("limit" in value) || !("parts" in value))
      return undefined;
    const { limit, parts } = value;
    if (!isCount(limit) || !Array.isArray(parts)) return undefined;
    const read = parts.map(readPart);
    return read.every((part) => part !== undefined) ? { limit, parts: read } : undefined;
  } catch {
    return undefined;
  }
}

function readPart(value: unknown): Part | undefined {
  if (!Array.isArray(value)) return undefined;
  const [process, granted, wanted] = value as readonly unknown[];
  if (typeof process !== "string" || !isCount(granted) || !isCount(wanted)) return undefined;
  return { process, granted, wanted };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
