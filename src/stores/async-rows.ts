import type { AsyncItem, LaneBacklog } from "../ports/async-queue.ts";
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
    body: body instanceof Uint8Array ? body : new Uint8Array(),
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
