import type { EventRecord, EventRecords } from "../ports/event-records.ts";
import type { FailureRow } from "../ports/failure-index.ts";
import type { FailureReader, KeptFailure } from "../ports/failure-reader.ts";
import { rowIdOf } from "./failure-names.ts";

/** What a destination still has of a failure, record by record. */
export interface KeptRecords {
  readonly kept: KeptFailure;
  /** In the order of the row's items; `undefined`: the event does not have it. */
  readonly records: readonly (EventRecord | undefined)[];
}

/** `undefined`: nobody has it any more. @throws MillraceError ERR_MILLRACE_DESTINATION_UNAVAILABLE */
export async function keptRecords(
  row: FailureRow,
  reader: FailureReader,
  events: EventRecords,
  signal: AbortSignal,
): Promise<KeptRecords | undefined> {
  if (row.where.at === undefined) return undefined;
  const kept = await reader.read(row.where.at, signal);
  if (kept === undefined || !isOf(kept, row)) return undefined;
  const all = kept.events.flatMap((event) => events.split(event) ?? []);
  return { kept, records: matched(row, all) };
}

/** What others have written since at the same place is no part of it. */
function isOf({ failureId }: KeptFailure, row: FailureRow): boolean {
  if (failureId === undefined) return true;
  return (row.origin ?? row.id) === rowIdOf(failureId);
}

/** By their positions; records of one aggregate, whose positions events do not show, by their order. */
function matched(
  { items, count }: FailureRow,
  records: readonly EventRecord[],
): readonly (EventRecord | undefined)[] {
  const isWhole = items.length === count && records.length === count;
  const byPosition = Map.groupBy(records, ({ position }) => position);
  return items.map(({ position }, at) => {
    return byPosition.get(position)?.shift() ?? (isWhole ? records[at] : undefined);
  });
}
