import { MillraceError } from "../model/errors.ts";
import type { ShardProgress } from "../ports/progress-store.ts";
import { readCheckpoint, readStrings } from "./checkpoint-json.ts";

/** A row of the table `progress`, as SQL stores have it. Whole numbers may come as text. */
export type ProgressRow = Readonly<Record<string, unknown>>;

export const PROGRESS_COLUMNS = "shard_id, parent_shard_ids, owner, epoch, counter, handover_to, checkpoint";

/**
 * `table`: how a person names the table in that store.
 * @throws ERR_MILLRACE_STORE_CORRUPT: to guess at progress would lose records or repeat all of them.
 */
export function readProgressRow(
  row: ProgressRow,
  mappingUuid: string,
  { place, table }: { readonly place: string; readonly table: string },
): ShardProgress {
  const shardId = String(row["shard_id"]);
  const checkpoint = readCheckpoint(String(row["checkpoint"]));
  const parentShardIds = readStrings(String(row["parent_shard_ids"]));
  if (checkpoint === undefined || parentShardIds === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_STORE_CORRUPT",
      `The progress of shard ${shardId} of mapping ${mappingUuid} in ${place} cannot be read. Stop millrace, then ` +
        `bring back a copy of the store, or delete this mapping's rows of the table \`${table}\`, which starts it ` +
        "again at its starting position.",
    );
  }
  return {
    shardId,
    parentShardIds,
    owner: readOptional(row["owner"]),
    epoch: Number(row["epoch"]),
    counter: Number(row["counter"]),
    handoverTo: readOptional(row["handover_to"]),
    checkpoint,
  };
}

export function readOptional(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
