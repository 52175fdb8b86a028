import type { PlacedEntry } from "../model/parked-key.ts";
import type { QueuedItem } from "../ports/parking-store.ts";
import type { ParkedKeyStatements } from "./parked-key-statements.ts";
import type { ParkingRow } from "./parking-rows.ts";
import type { FenceStatements, ParkingStatements } from "./parking-statements.ts";

export type ParkingValue = string | number | null | Uint8Array;

export interface ParkingStatement {
  readonly sql: string;
  readonly values: readonly ParkingValue[];
  /** Parameters behind them, where the database takes lists. */
  readonly lists?: readonly (readonly ParkingValue[])[];
}

/** Steps of one transaction: each is answered with the rows that it gives. */
export type ParkingWork<T> = Generator<ParkingStatement, T, readonly ParkingRow[]>;

/** Transactions of one database. */
export interface ParkingTransactions {
  read<T>(work: () => ParkingWork<T>): Promise<T>;
  /** All that it does takes effect, or none. It may be begun anew. */
  write<T>(work: () => ParkingWork<T>): Promise<T>;
  close(): Promise<void>;
}

/** What of redrives databases do each in its own way. */
export interface ParkingWords {
  readonly statements: ParkingStatements;
  /** Items that are not there yet, behind `lastSeq` in their order. */
  insertItems(kind: string, items: readonly QueuedItem[], lastSeq: number): Iterable<ParkingStatement>;
}

export interface ParkingDatabase extends ParkingTransactions, ParkingWords {}

/** The same of parked keys. */
export interface ParkedKeyDatabase extends ParkingTransactions, ParkedKeyWords {}

export interface ParkedKeyWords {
  readonly statements: ParkedKeyStatements & FenceStatements;
  /** Entries of any keys. */
  insertEntries(mapping: string, entries: readonly EntryOfKey[]): Iterable<ParkingStatement>;
}

export interface EntryOfKey extends PlacedEntry {
  /** Its key's. */
  readonly id: string;
}
