import type { Position } from "../model/record.ts";

/**
 * A source's events, taken apart without the source: for what was given up long ago. Pure functions.
 *
 * Laws:
 * - `split` gives the records of an event in its order, their elements byte for byte.
 * - Nothing throws: `undefined` says that the bytes are of no such event or record.
 */
export interface EventRecords {
  split(event: Uint8Array): readonly EventRecord[] | undefined;
  /** For people: metadata as they are, data in clear where they are JSON or a text. */
  decode(element: Uint8Array): unknown;
  /** As `StreamSource.comparePositions`. */
  comparePositions(a: Position, b: Position): number;
  /** The key of a record (`StreamRecord.key`) as a person writes it. Default: as it is written. */
  keyOf?(text: string): string;
}

export interface EventRecord {
  readonly shardId: string | undefined;
  readonly position: Position;
  /** What functions call it in a partial response. */
  readonly itemId: string;
  readonly key: string | undefined;
  readonly arrivalMs: number | undefined;
  /** Its bytes in the event, without separators. */
  readonly element: Uint8Array;
}
