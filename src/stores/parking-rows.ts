import type {
  EndedState,
  ItemError,
  ItemState,
  NewRedrive,
  Redrive,
  RedriveCounts,
  RedriveState,
} from "../model/redrive.ts";
import type { EndedItem, ListedItem, ParkedItem } from "../ports/parking-store.ts";

/** Values of a row, as SQLite and PostgreSQL give them: the latter writes large integers as texts. */
export type ParkingRow = Readonly<Record<string, unknown>>;

const NO_BYTES = new Uint8Array();

/** The store wrote it, so that it is what was given. */
export function readRedrive(row: ParkingRow): Redrive {
  const made = JSON.parse(String(row["document"])) as NewRedrive;
  return {
    ...made,
    rate: numberOf(row["rate"]),
    state: String(row["state"]) as RedriveState,
    version: Number(row["version"]),
    cursor: textOf(row["cursor"]),
    isLoaded: Number(row["is_loaded"]) === 1,
    endedMs: numberOf(row["ended_ms"]),
    isConcluded: Number(row["is_concluded"]) === 1,
  };
}

export function countsOf(selected: number, perState: ReadonlyMap<ItemState, number>): RedriveCounts {
  const of = (state: ItemState) => perState.get(state) ?? 0;
  let loaded = 0;
  for (const count of perState.values()) loaded += count;
  return {
    selected,
    loaded,
    waiting: of("waiting"),
    started: of("started"),
    done: of("done"),
    failed: of("failed"),
    held: of("held"),
    gone: of("gone"),
    uncertain: of("uncertain"),
  };
}

export function readParkedItem(row: ParkingRow): ParkedItem {
  return {
    ...itemOf(row),
    element: bytesOf(row["element"]) ?? NO_BYTES,
    requestId: textOf(row["request_id"]),
  };
}

export function readEndedItem(row: ParkingRow): EndedItem {
  return {
    ...itemOf(row),
    element: bytesOf(row["element"]),
    state: String(row["state"]) as EndedState,
    error: errorOf(row["error"]),
  };
}

export function readListedItem(row: ParkingRow): ListedItem {
  return {
    ...itemOf(row),
    state: String(row["state"]) as ItemState,
    requestId: textOf(row["request_id"]),
    error: errorOf(row["error"]),
  };
}

function itemOf(row: ParkingRow) {
  return {
    seq: Number(row["seq"]),
    id: String(row["id"]),
    failureId: String(row["failure_id"]),
    itemId: String(row["item_id"]),
    shardId: String(row["shard_id"]),
    position: String(row["position"]),
    key: row["key"] === null ? undefined : (JSON.parse(String(row["key"])) as string),
    arrivalMs: numberOf(row["arrival_ms"]),
  };
}

/** PostgreSQL's texts hold no NUL, and keys of records may. */
export function writeKey(key: string | undefined): string | null {
  return key === undefined ? null : JSON.stringify(key);
}

export function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

export function numberOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function errorOf(value: unknown): ItemError | undefined {
  return typeof value === "string" ? (JSON.parse(value) as ItemError) : undefined;
}
