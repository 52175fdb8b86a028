import { createHash } from "node:crypto";
import type {
  ParkedEntry,
  ParkedKey,
  ParkedKeyState,
  ParkingBounds,
  ParkingCause,
  ParkingTotals,
} from "../model/parked-key.ts";
import type { NewParkedKey, ParkedPut } from "../ports/parked-keys.ts";

export const NOTHING_PARKED: ParkingTotals = { keys: 0, records: 0, bytes: 0, version: 0 };

const ID_BYTES = 16;

/** A digest of the key as JSON, since UTF-8 has no place for half of a surrogate pair. */
export function parkedKeyId(key: string): string {
  return createHash("sha256").update(JSON.stringify(key)).digest().subarray(0, ID_BYTES).toString("hex");
}

export function madeKey({ key, log, entries, cause, parkedMs }: NewParkedKey): ParkedKey {
  const bare: ParkedKey = {
    id: parkedKeyId(key),
    key,
    state: { kind: "parked" },
    version: 1,
    tailVersion: 0,
    records: 0,
    bytes: Buffer.byteLength(key),
    last: {},
    cause,
    parkedMs,
  };
  return keyWith(bare, { log, entries });
}

/** With these behind its tail. */
export function keyWith(key: ParkedKey, { log, entries }: Pick<ParkedPut, "log" | "entries">): ParkedKey {
  const position = entries.at(-1)?.position;
  return {
    ...key,
    tailVersion: key.tailVersion + 1,
    records: key.records + entries.length,
    bytes: key.bytes + bytesOf(entries),
    last: position === undefined ? key.last : { ...key.last, [log]: position },
  };
}

/** Without these, which were all that stood up to `through`. `undefined`: the key is gone. */
export function keyWithout(
  key: ParkedKey,
  removed: readonly { readonly bytes: number }[],
  through: number,
): ParkedKey | undefined {
  const bytes = removed.reduce((sum, each) => sum + each.bytes, 0);
  const left = { ...key, records: key.records - removed.length, bytes: key.bytes - bytes };
  const { state } = key;
  if (state.kind === "discarding")
    // plant: what-is-discarded-ends-at-whatever-was-removed
    return through < state.through ? left : keyMoved(left, { kind: state.next });
  // plant: a-key-that-drains-is-closed-with-its-entries
  return state.kind === "draining" && left.records === 0 ? undefined : left;
}

export function keyMoved(key: ParkedKey, state: ParkedKeyState, cause: ParkingCause = key.cause): ParkedKey {
  return { ...key, state, cause, version: key.version + 1 };
}

/** Totals of the mapping once a key is another, came or went. */
export function totalsAfter(
  totals: ParkingTotals,
  was: ParkedKey | undefined,
  is: ParkedKey | undefined,
): ParkingTotals {
  const isNews = was?.version !== is?.version;
  return {
    keys: totals.keys + (is === undefined ? 0 : 1) - (was === undefined ? 0 : 1),
    records: totals.records + (is?.records ?? 0) - (was?.records ?? 0),
    bytes: totals.bytes + (is?.bytes ?? 0) - (was?.bytes ?? 0),
    version: totals.version + (isNews ? 1 : 0),
  };
}

export function isWithin(totals: ParkingTotals, { keysMax, recordsMax, bytesMax }: ParkingBounds): boolean {
  // plant: what-is-parked-may-be-larger-than-its-bounds
  return totals.keys <= keysMax && totals.records <= recordsMax && totals.bytes <= bytesMax;
}

function bytesOf(entries: readonly ParkedEntry[]): number {
  return entries.reduce((sum, { element }) => sum + element.length, 0);
}
