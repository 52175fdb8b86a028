import type { QueuedItem } from "../ports/parking-store.ts";
import type { ParkingRow } from "./parking-rows.ts";
import type { ParkingStatements } from "./parking-statements.ts";

export type ParkingValue = string | number | null | Uint8Array;

export interface ParkingStatement {
  readonly sql: string;
  readonly values: readonly ParkingValue[];
  /** Parameters behind them, where the database takes lists. */
  readonly lists?: readonly (readonly ParkingValue[])[];
}

/** Steps of one transaction: each is answered with the rows that it gives. */
export type ParkingWork<T> = Generator<ParkingStatement, T, readonly ParkingRow[]>;

export interface ParkingDatabase {
  readonly statements: ParkingStatements;
  read<T>(work: () => ParkingWork<T>): Promise<T>;
  /** All that it does takes effect, or none. It may be begun anew. */
  write<T>(work: () => ParkingWork<T>): Promise<T>;
  /** Items that are not there yet, behind `lastSeq` in their order. */
  insertItems(kind: string, items: readonly QueuedItem[], lastSeq: number): Iterable<ParkingStatement>;
  close(): Promise<void>;
}
