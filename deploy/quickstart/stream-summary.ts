import { existsSync, readFileSync } from "node:fs";
import type { StreamedFlight } from "./flights.ts";

/** One invocation that the function brought to its end. */
export interface SeenInvocation {
  readonly requestId: string;
  /** `eventID` and key of each record. */
  readonly records: readonly (readonly [eventId: string, key: string])[];
}

export interface Summary {
  readonly lines: readonly string[];
  /** Nothing lost, every key in order, exactly the unreadable records isolated. */
  readonly isRight: boolean;
}

/** Judges by what the function saw and what the destination holds, not by what the engine says. */
export function summarise(
  stream: readonly StreamedFlight[],
  seen: readonly SeenInvocation[],
  failedEventIds: ReadonlySet<string>,
  invocationsBefore: number,
): Summary {
  const deliveries = new Map<string, number>();
  for (const { records } of seen) {
    for (const [eventId] of records) deliveries.set(eventId, (deliveries.get(eventId) ?? 0) + 1);
  }
  const lost = stream.filter(({ eventId }) => !deliveries.has(eventId) && !failedEventIds.has(eventId));
  const poison = stream.filter(({ isPoison }) => isPoison);
  const isolated = poison.filter(({ eventId }) => failedEventIds.has(eventId) && !deliveries.has(eventId));
  const wronglyFailed = failedEventIds.size - isolated.length;
  const repeated = [...deliveries.values()].reduce((sum, times) => sum + times - 1, 0);
  const keys = new Set(stream.map(({ key }) => key));
  const disordered = disorderedKeys(stream, seen);
  const invocations = seen.length - invocationsBefore;
  const isRight =
    lost.length === 0 && disordered.size === 0 && isolated.length === poison.length && wronglyFailed === 0;
  const rows = [
    ["records in the stream", number(stream.length)],
    ["successful invocations", `${number(invocations)} in this run, ${number(seen.length)} in all`],
    ["keys in order", `${number(keys.size - disordered.size)} of ${number(keys.size)}`],
    ["unreadable records isolated", `${isolated.length} of ${poison.length}, and ${wronglyFailed} others`],
    ["records lost", number(lost.length)],
    ["records repeated", `${number(repeated)}${repeated > 0 ? " (in flight when a run was killed)" : ""}`],
  ] as const;
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return { lines: [...lines, isRight ? "Everything is right." : "Something is WRONG."], isRight };
}

/** Keys whose records succeeded for the first time in another order than that of the stream. */
function disorderedKeys(
  stream: readonly StreamedFlight[],
  seen: readonly SeenInvocation[],
): ReadonlySet<string> {
  const places = new Map(stream.map(({ eventId }, place) => [eventId, place]));
  const newest = new Map<string, number>();
  const known = new Set<string>();
  const disordered = new Set<string>();
  for (const [eventId, key] of seen.flatMap(({ records }) => records)) {
    if (known.has(eventId)) continue;
    known.add(eventId);
    const place = places.get(eventId) ?? -1;
    if (place < (newest.get(key) ?? -1)) disordered.add(key);
    newest.set(key, place);
  }
  return disordered;
}

export function readSeen(path: string): readonly SeenInvocation[] {
  return readJsonLines(path) as readonly SeenInvocation[];
}

/** `eventID`s of the records in the failure file; bisect leaves one record in each line. */
export function readFailedEventIds(path: string): ReadonlySet<string> {
  const documents = readJsonLines(path) as readonly { readonly payload: string }[];
  const events = documents.map(({ payload }) => JSON.parse(payload) as { Records: { eventID: string }[] });
  return new Set(events.flatMap(({ Records }) => Records.map(({ eventID }) => eventID)));
}

/** A line that a killed process left unfinished is passed over. */
function readJsonLines(path: string): readonly unknown[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}

function number(value: number): string {
  return value.toLocaleString("en");
}
