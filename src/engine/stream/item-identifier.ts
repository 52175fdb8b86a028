import type { StreamRecord } from "../../model/record.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { BufferedRecord } from "./shard-context.ts";

/** What functions and failure records call a record. */
export function itemIdentifier({ events }: StreamSource, record: StreamRecord): string {
  return events.itemIdentifier?.(record) ?? record.position;
}

/** Index of each identifier's first record: what a partial response names is retried from there on. */
export function firstIndexes(records: readonly BufferedRecord[], source: StreamSource): Map<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, { record }] of records.entries()) {
    const identifier = itemIdentifier(source, record);
    if (!indexes.has(identifier)) indexes.set(identifier, index);
  }
  return indexes;
}
