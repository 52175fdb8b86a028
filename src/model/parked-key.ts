import type { FailureCondition } from "./failure-record.ts";
import type { FailureCause } from "./function-error.ts";
import type { Position } from "./record.ts";

/**
 * A key of a stream that stands aside with its records: in the order of its shards they wait here, while everything
 * else goes on.
 */
export interface ParkedKey {
  /** What people call it: keys may be long, and hold any character. The same in every store. */
  readonly id: string;
  readonly key: string;
  readonly state: ParkedKeyState;
  /** Higher with each change of its state. */
  readonly version: number;
  /** Higher whenever records were put behind it. */
  readonly tailVersion: number;
  readonly records: number;
  /** Those of its records' elements, and of the key itself. */
  readonly bytes: number;
  /** By log: the last record of it that was put here since the key was parked, also where that one is over. */
  readonly last: Readonly<Record<string, Position>>;
  /** Why it stands here, by its last failure. */
  readonly cause: ParkingCause;
  /** Epoch milliseconds, for people. */
  readonly parkedMs: number;
}

/**
 * `parked`: nothing of it is handed over. `draining`: its records are handed over, in order. `discarding`: those up to
 * `through` are given up, and then it goes on as `next` says.
 */
export type ParkedKeyState =
  | { readonly kind: RestingState }
  | { readonly kind: "discarding"; readonly through: number; readonly next: RestingState };

export type RestingState = "parked" | "draining";

/** What failed to the end. */
export interface ParkingCause {
  readonly condition: FailureCondition;
  /** The function's last failure; `undefined`: its answer was at fault. */
  readonly error: FailureCause | undefined;
  readonly shardId: string;
  /** The first record of the batch that failed. */
  readonly position: Position;
}

/** A record as it waits: what the function would have got of it. */
export interface ParkedEntry {
  readonly shardId: string;
  readonly position: Position;
  /** What functions call it in a partial response. */
  readonly itemId: string;
  /** As the source gave it, epoch milliseconds; `undefined`: it gave none. */
  readonly arrivalMs: number | undefined;
  /** Its element of the event, byte for byte. */
  readonly element: Uint8Array;
  /** `traceparent` of the attempt that it failed in; `undefined`: there was none, or nothing is traced. */
  readonly trace: string | undefined;
}

/** An entry with its place: later ones of the mapping have higher ones, and none is given twice. */
export interface PlacedEntry extends ParkedEntry {
  readonly seq: number;
}

/** How much may be parked of a mapping, over all processes. */
export interface ParkingBounds {
  readonly keysMax: number;
  readonly recordsMax: number;
  readonly bytesMax: number;
}

/** What is parked of a mapping. */
export interface ParkingTotals {
  readonly keys: number;
  readonly records: number;
  readonly bytes: number;
  /** Higher whenever a key came, went or changed its state. */
  readonly version: number;
}
