/** What a schedule of the simulation means, in a form that is easy to judge by. */
export type Meaning =
  | { readonly kind: "rate"; readonly minutes: number }
  | {
      readonly kind: "cron";
      readonly zone: string;
      readonly minutes: readonly number[];
      readonly hours: readonly number[];
    }
  | { readonly kind: "at"; readonly zone: string; readonly wall: string };

export const MINUTE_MS = 60_000;

export function expressionOf(meaning: Meaning): string {
  switch (meaning.kind) {
    case "rate":
      return meaning.minutes === 1 ? "rate(1 minute)" : `rate(${meaning.minutes} minutes)`;
    case "cron":
      return `cron(${meaning.minutes.join(",")} ${meaning.hours.length === 24 ? "*" : meaning.hours.join(",")} * * ? *)`;
    case "at":
      return `at(${meaning.wall})`;
  }
}

/**
 * The moments from `fromMs` on, and before `toMs`, that a schedule means: found minute by minute, by what clocks on the
 * wall show, and so by another way than the scheduler's.
 */
export function momentsOf(
  meaning: Meaning,
  anchorMs: number,
  fromMs: number,
  toMs: number,
): ReadonlySet<number> {
  const found = new Set<number>();
  if (meaning.kind === "rate") {
    for (let atMs = anchorMs; atMs < toMs; atMs += meaning.minutes * MINUTE_MS)
      if (atMs >= fromMs) found.add(atMs);
    return found;
  }
  const shown = new Set<string>();
  // What is shown for the second time has been shown within the hours before.
  const earlierMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS - 180 * MINUTE_MS;
  for (let atMs = earlierMs; atMs < toMs; atMs += MINUTE_MS) {
    const wall = wallAt(meaning.zone, atMs);
    const isFirst = !shown.has(wall);
    shown.add(wall);
    if (isFirst && atMs >= fromMs && isMeant(meaning, wall)) found.add(atMs);
  }
  return found;
}

function isMeant(meaning: Exclude<Meaning, { readonly kind: "rate" }>, wall: string): boolean {
  if (meaning.kind === "at") return `${wall.replace(" ", "T")}:00` === meaning.wall;
  const [hour, minute] = wall.slice(11).split(":").map(Number);
  return meaning.hours.includes(hour ?? -1) && meaning.minutes.includes(minute ?? -1);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const walls = new Map<string, string>();

/** `2026-10-25 02:30` */
export function wallAt(zone: string, atMs: number): string {
  const key = `${zone} ${atMs}`;
  const known = walls.get(key);
  if (known !== undefined) return known;
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  formats.set(zone, format);
  const wall = format.format(atMs);
  walls.set(key, wall);
  return wall;
}
