import type { Checkpoint } from "../../../src/model/checkpoint.ts";
import type { Position } from "../../../src/model/record.ts";
import { openSqliteStore } from "../../../src/stores/sqlite.ts";

/** Where a record stands in its stream. */
export interface RecordPlace {
  readonly shardId: string;
  readonly position: Position;
}

type Compare = (a: Position, b: Position) => number;

/**
 * How many of the records no durable checkpoint of the mapping calls settled: these, and what was in flight, come
 * again. `path`: the store, which nobody has open.
 */
export async function countUnsettled(
  path: string,
  mappingUuid: string,
  places: Iterable<RecordPlace>,
  compare: Compare,
): Promise<number> {
  const store = await openSqliteStore(path);
  try {
    const rows = await store.list(mappingUuid);
    const checkpoints = new Map(rows.map(({ shardId, checkpoint }) => [shardId, checkpoint]));
    let unsettled = 0;
    for (const place of places) if (!isSettled(place, checkpoints.get(place.shardId), compare)) unsettled++;
    return unsettled;
  } finally {
    await store.close();
  }
}

function isSettled({ position }: RecordPlace, checkpoint: Checkpoint | undefined, compare: Compare): boolean {
  if (checkpoint === undefined) return false;
  const { resume, settledRanges } = checkpoint;
  if (resume.kind === "after" && compare(position, resume.position) <= 0) return true;
  return settledRanges.some(({ from, to }) => compare(from, position) <= 0 && compare(position, to) <= 0);
}
