import type { StreamRecord, TumblingWindow } from "../../model/record.ts";
import type { StreamEvents, StreamSource } from "../../ports/stream-source.ts";
import type { BufferedRecord } from "./buffered-record.ts";

/**
 * What becomes of functions of a source that throw, though their port says that they do not: one record that cannot be
 * looked into or encoded is given up alone, and told (I23); whatever else throws costs what it was asked for and
 * nothing more.
 */

/** The kind of the error only: its text may quote the record. */
export function reasonOf(what: string, error: unknown): string {
  return `its source cannot ${what} it (${error instanceof Error ? error.name : typeof error})`;
}

export function damageOf({ damage, record }: BufferedRecord): string | undefined {
  return damage ?? record.damage;
}

/**
 * Notes of each record that cannot be encoded that it is so. `false`: each of them can, so that something else is
 * wrong.
 */
export function noteUnencodable(events: StreamEvents, records: readonly BufferedRecord[]): boolean {
  let isAny = false;
  for (const buffered of records) {
    try {
      // plant: one-record-that-cannot-be-encoded-condemns-all-of-its-batch
      events.encode([buffered.record], undefined);
    } catch (error) {
      buffered.damage = reasonOf("encode", error);
      isAny = true;
    }
  }
  return isAny;
}

const NOTHING = new TextEncoder().encode("{}");

/** The event of a failure record: without its records where they cannot be encoded. */
export function eventOrNothing(
  { events }: Pick<StreamSource, "events">,
  records: readonly BufferedRecord[],
  window: TumblingWindow | undefined,
): Uint8Array {
  try {
    return events.encode(encodable(records), window);
  } catch {
    // What grew too old before its first attempt nobody has tried to encode: its neighbours can be.
    return noteUnencodable(events, records) ? events.encode(encodable(records), window) : NOTHING;
  }
}

function encodable(records: readonly BufferedRecord[]): readonly StreamRecord[] {
  return records.filter((each) => each.damage === undefined).map(({ record }) => record);
}
