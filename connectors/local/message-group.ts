import type { DatabaseSync } from "node:sqlite";

/** The groups of FIFO queues that have messages, and from when on each may be received from. */
export interface GroupTable {
  /** Groups that are ready, the one with the message that waits longest first. */
  ready(queueId: number, nowMs: number, groupsMax: number): readonly string[];
  /** When the first group is ready; `undefined`: the queue is empty. */
  nextReadyMs(queueId: number): number | undefined;
  /** Call it, in the same transaction, for each group whose messages were added, held, freed or taken away. */
  refresh(queueId: number, groupId: string): void;
}

export function createGroupTable(database: DatabaseSync): GroupTable {
  const ready = database.prepare(
    "SELECT group_id FROM message_group WHERE queue = ? AND ready_ms <= ? ORDER BY ready_ms, head_sequence LIMIT ?",
  );
  const next = database.prepare(
    "SELECT ready_ms FROM message_group WHERE queue = ? ORDER BY ready_ms LIMIT 1",
  );
  const head = database.prepare(
    "SELECT sequence, visible_ms FROM message WHERE queue = ? AND group_id = ? AND group_id IS NOT NULL " +
      "ORDER BY sequence LIMIT 1",
  );
  // Holds that have ended by themselves keep their receipt; the past that they name changes nothing.
  const held = database.prepare(
    "SELECT max(visible_ms) AS until_ms FROM message " +
      "WHERE queue = ? AND group_id = ? AND group_id IS NOT NULL AND receipt IS NOT NULL",
  );
  const drop = database.prepare("DELETE FROM message_group WHERE queue = ? AND group_id = ?");
  const put = database.prepare("INSERT OR REPLACE INTO message_group VALUES (?, ?, ?, ?)");
  return {
    ready: (queueId, nowMs, groupsMax) =>
      ready.all(queueId, nowMs, groupsMax).map((row) => String(row["group_id"])),
    nextReadyMs(queueId) {
      const readyMs = next.get(queueId)?.["ready_ms"];
      return readyMs === undefined ? undefined : Number(readyMs);
    },
    refresh(queueId, groupId) {
      const first = head.get(queueId, groupId) as { sequence: number; visible_ms: number } | undefined;
      if (first === undefined) {
        drop.run(queueId, groupId);
        return;
      }
      const heldUntilMs = Number(held.get(queueId, groupId)?.["until_ms"] ?? 0);
      put.run(queueId, groupId, Math.max(first.visible_ms, heldUntilMs), first.sequence);
    },
  };
}
