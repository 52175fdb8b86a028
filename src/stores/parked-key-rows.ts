import type {
  ParkedKey,
  ParkedKeyState,
  ParkingCause,
  ParkingTotals,
  PlacedEntry,
} from "../model/parked-key.ts";
import type { ParkingValue } from "./parking-database.ts";
import { bytesOf, numberOf, type ParkingRow, textOf } from "./parking-rows.ts";

const NO_BYTES = new Uint8Array();

/** The store wrote it, so that it is what was given. */
export function readParkedKey(row: ParkingRow): ParkedKey {
  const cause = JSON.parse(String(row["cause"])) as ParkingCause;
  return {
    id: String(row["id"]),
    key: JSON.parse(String(row["key"])) as string,
    state: JSON.parse(String(row["state"])) as ParkedKeyState,
    version: Number(row["version"]),
    tailVersion: Number(row["tail_version"]),
    records: Number(row["records"]),
    bytes: Number(row["bytes"]),
    last: JSON.parse(String(row["last"])) as Record<string, string>,
    cause: { ...cause, error: cause.error },
    parkedMs: Number(row["parked_ms"]),
  };
}

/** What changes of a key, behind its mapping and its id. */
export function changedColumns(key: ParkedKey): readonly ParkingValue[] {
  return [
    JSON.stringify(key.state),
    key.version,
    key.tailVersion,
    key.records,
    key.bytes,
    JSON.stringify(key.last),
    JSON.stringify(key.cause),
  ];
}

export function readPlacedEntry(row: ParkingRow): PlacedEntry {
  return {
    seq: Number(row["seq"]),
    shardId: String(row["shard_id"]),
    position: String(row["position"]),
    itemId: String(row["item_id"]),
    arrivalMs: numberOf(row["arrival_ms"]),
    element: bytesOf(row["element"]) ?? NO_BYTES,
    trace: textOf(row["trace"]),
  };
}

export function readTotals(row: ParkingRow): ParkingTotals {
  return {
    keys: Number(row["keys"]),
    records: Number(row["records"]),
    bytes: Number(row["bytes"]),
    version: Number(row["version"]),
  };
}
