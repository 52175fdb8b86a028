import type { AsyncItem, LaneBacklog, ListedAsyncItem } from "../ports/async-queue.ts";
import { readAttemptState } from "./attempt-state.ts";

/** An item's row, as a database gives it; `visible_ms` is that from before the hold. */
export function asyncItemOf(
  row: Readonly<Record<string, unknown>>,
  body: unknown,
  receipt: string,
  nowMs: number,
): AsyncItem {
  return {
    id: String(row["id"]),
    kind: row["kind"] === "deliver" ? "deliver" : "invoke",
    lane: String(row["lane"]),
    qualifier: String(row["qualifier"]),
    body: bytesIn(body),
    state: readAttemptState(String(row["state"])),
    receipt,
    receiveCount: Number(row["receive_count"]) + 1,
    waitedMs: Math.max(0, nowMs - Number(row["visible_ms"])),
  };
}

export function laneBacklogOf(row: Readonly<Record<string, unknown>>, nowMs: number): LaneBacklog {
  return {
    lane: String(row["lane"]),
    items: Number(row["items"]),
    bytes: Number(row["bytes"]),
    oldestMs: Math.max(0, nowMs - Number(row["first_ms"])),
  };
}

/** A row as whoever looks at it sees it; `receipt` is null where nobody has it. */
export function listedItemOf(row: Readonly<Record<string, unknown>>, nowMs: number): ListedAsyncItem {
  const dueInMs = Math.max(0, Number(row["visible_ms"]) - nowMs);
  return {
    id: String(row["id"]),
    kind: row["kind"] === "deliver" ? "deliver" : "invoke",
    lane: String(row["lane"]),
    qualifier: String(row["qualifier"]),
    bytes: Number(row["bytes"]),
    state: readAttemptState(String(row["state"])),
    ageMs: Math.max(0, nowMs - Number(row["put_ms"])),
    isHeld: row["receipt"] !== null && dueInMs > 0,
    dueInMs,
    receiveCount: Number(row["receive_count"]),
  };
}

export function bytesIn(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}
