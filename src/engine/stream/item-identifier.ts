import type { StreamRecord } from "../../model/record.ts";
import type { StreamSource } from "../../ports/stream-source.ts";
import type { BufferedRecord } from "./buffered-record.ts";

type EventSource = Pick<StreamSource, "events">;

/** What functions and failure records call a record. */
export function itemIdentifier({ events }: EventSource, record: StreamRecord): string {
  try {
    return events.itemIdentifier?.(record) ?? record.position;
  } catch {
    return record.position;
  }
}

/**
 * Finds the record of a batch that an `itemIdentifier` of a partial response names. Where several share one identifier
 * it is the first of them. The batch is looked through only if a response names something.
 */
export function recordFinder(
  records: readonly BufferedRecord[],
  source: EventSource,
  shardId: string,
): (itemIdentifier: unknown) => number | undefined {
  let indexes: Map<string, number> | undefined;
  return (itemIdentifier) => {
    const identifier = readIdentifier(itemIdentifier, source, shardId);
    if (identifier === undefined) return undefined;
    indexes ??= firstIndexes(records, source);
    return indexes.get(identifier);
  };
}

function readIdentifier(value: unknown, { events }: EventSource, shardId: string): string | undefined {
  if (events.readItemIdentifier === undefined) return typeof value === "string" ? value : undefined;
  try {
    return events.readItemIdentifier(value, shardId);
  } catch {
    return undefined;
  }
}

function firstIndexes(records: readonly BufferedRecord[], source: EventSource): Map<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, { record }] of records.entries()) {
    const identifier = itemIdentifier(source, record);
    if (!indexes.has(identifier)) indexes.set(identifier, index);
  }
  return indexes;
}
