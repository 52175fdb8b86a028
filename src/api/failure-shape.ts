import type { FailurePage } from "../control/failure-control.ts";
import type { ShownFailure } from "../control/shown-failure.ts";
import type { FailureRow } from "../ports/failure-index.ts";

/** Items of a row that a list shows; all of them stand in the failure itself. */
const LISTED_ITEMS_MAX = 20;

/** `names`: of mappings, by their UUIDs. `isWhole`: texts of functions are for the caller. */
export function pageShape(
  { rows, next, remarks }: FailurePage,
  names: ReadonlyMap<string, string>,
  isWhole: boolean,
) {
  return {
    failures: rows.map((row) => {
      const shape = rowShape(row, names, isWhole);
      return { ...shape, items: shape.items.slice(0, LISTED_ITEMS_MAX) };
    }),
    ...(next === undefined ? {} : { next: `${next.atMs}/${next.id}` }),
    remarks,
  };
}

export function shownShape(
  { row, document, records, remark }: ShownFailure,
  names: ReadonlyMap<string, string>,
) {
  return {
    ...rowShape(row, names, true),
    document,
    records: records.map(({ position, key, arrivalMs, record }) => ({ position, key, arrivalMs, record })),
    ...(remark === undefined ? {} : { remark }),
  };
}

function rowShape(row: FailureRow, names: ReadonlyMap<string, string>, isWhole: boolean) {
  const { id, mapping, condition, error, shardId, items, count, bytes, atMs, where, state, redriveId } = row;
  return {
    id,
    mapping: names.get(mapping) ?? mapping,
    mappingUuid: mapping,
    condition,
    ...(error === undefined ? {} : { errorId: error.id, errorType: error.type }),
    ...(error === undefined || !isWhole ? {} : { errorMessage: error.message, stack: error.stack }),
    shardId,
    items,
    count,
    bytes,
    atMs,
    at: new Date(atMs).toISOString(),
    where,
    state,
    ...(redriveId === undefined ? {} : { redriveId }),
  };
}
