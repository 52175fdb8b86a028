import { keyHashOf, rowIdOf } from "../failures/failure-names.ts";
import type { EventRecord } from "../ports/event-records.ts";
import type { FailureRow } from "../ports/failure-index.ts";

/** A dead letter as a failure: no row is kept of it, the queue is the list. */
export function deadLetterRow(letter: EventRecord, queue: string, mapping: string): FailureRow {
  const { itemId, position, key, arrivalMs = 0, element } = letter;
  return {
    id: rowIdOf(`${queue}/${itemId}`),
    mapping,
    condition: "RetryAttemptsExhausted",
    shardId: key ?? "",
    items: [{ position, keyHash: keyHashOf(key) }],
    count: 1,
    bytes: element.length,
    atMs: arrivalMs,
    where: { destination: queue, at: itemId },
    state: "open",
  };
}
