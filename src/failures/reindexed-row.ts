import type { EventRecords } from "../ports/event-records.ts";
import type { FailureRow } from "../ports/failure-index.ts";
import type { FailureReader, FoundFailure } from "../ports/failure-reader.ts";
import { keyHashOf, rowIdOf } from "./failure-names.ts";

/** The row of what a destination keeps: with the id that it was delivered with, or a name of its place. */
export function foundRow(
  { at, summary, failureId, events }: FoundFailure,
  mapping: string,
  destination: string,
  reads: EventRecords,
): FailureRow {
  const records = events.flatMap((event) => reads.split(event) ?? []);
  const shardId = summary.shardId ?? records[0]?.shardId ?? "";
  return {
    id: rowIdOf(failureId ?? `${mapping}/${destination}/${at}`),
    mapping,
    condition: summary.condition,
    shardId,
    items: records.map(({ position, key }) => ({ position, keyHash: keyHashOf(key) })),
    count: summary.count,
    bytes: events.reduce((sum, event) => sum + event.length, 0),
    atMs: summary.atMs,
    where: { destination, at },
    state: "open",
  };
}

/** A failure that is found in parts: what was written twice is there once. */
export function mergedRow(
  one: FailureRow,
  other: FailureRow,
  reader: Pick<FailureReader, "join">,
): FailureRow {
  const fresh = other.items.filter(({ position }) => !one.items.some((known) => known.position === position));
  if (fresh.length === 0 || reader.join === undefined) return one;
  const at = reader.join([one.where.at ?? "", other.where.at ?? ""]);
  return {
    ...one,
    items: [...one.items, ...fresh],
    count: one.count + fresh.length,
    bytes: one.bytes + other.bytes,
    where: { ...one.where, at },
  };
}
