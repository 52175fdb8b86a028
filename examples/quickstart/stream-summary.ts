import type { StreamedFlight } from "./flights.ts";
import { readJsonLines } from "./json-lines.ts";
import { formatNumber, formatRepeated, type Summary } from "./summary.ts";

/** One invocation that the function brought to its end. */
export interface SeenInvocation {
  readonly requestId: string;
  /** `eventID` and key of each record. */
  readonly records: readonly (readonly [eventId: string, key: string])[];
}

/** Judges by what the function saw and what the destination holds, not by what the engine says. */
export function summariseStream(
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
  return {
    title: "The stream",
    rows: [
      ["records in the stream", formatNumber(stream.length)],
      [
        "successful invocations",
        `${formatNumber(invocations)} in this run, ${formatNumber(seen.length)} in all`,
      ],
      ["keys in order", `${formatNumber(keys.size - disordered.size)} of ${formatNumber(keys.size)}`],
      ["unreadable records isolated", `${isolated.length} of ${poison.length}, and ${wronglyFailed} others`],
      ["records lost", formatNumber(lost.length)],
      ["records repeated", formatRepeated(repeated)],
    ],
    isRight,
  };
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
