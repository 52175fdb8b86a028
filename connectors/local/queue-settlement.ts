import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Settlement } from "../../src/ports/queue-source.ts";
import { createGroupTable } from "./message-group.ts";

/** A delivery, as far as settling it needs. */
export interface Receipt {
  readonly id: number;
  readonly receipt: string;
  readonly groupId: string | undefined;
}

/**
 * Ends or moves holds, each by the receipt of its delivery: what is settled already or held anew is not touched. Every
 * call belongs inside a write transaction.
 */
export interface QueueSettlement {
  acknowledge(receipts: readonly Receipt[], nowMs: number): readonly Settlement[];
  release(receipts: readonly Receipt[], nowMs: number, delayMs: number): readonly Settlement[];
  extend(receipts: readonly Receipt[], nowMs: number, holdMs: number): readonly Settlement[];
}

export function createQueueSettlement(database: DatabaseSync, queueId: number): QueueSettlement {
  const isHeld = "WHERE id = ? AND queue = ? AND receipt = ? AND visible_ms > ?";
  const deleteHeld = database.prepare(`DELETE FROM message ${isHeld}`);
  const deleteContent = database.prepare("DELETE FROM message_content WHERE id = ?");
  const releaseHeld = database.prepare(`UPDATE message SET receipt = NULL, visible_ms = ? ${isHeld}`);
  const extendHeld = database.prepare(`UPDATE message SET visible_ms = ? ${isHeld}`);
  const groups = createGroupTable(database);

  const settle = (
    receipts: readonly Receipt[],
    change: (each: Receipt) => boolean,
  ): readonly Settlement[] => {
    const changedGroups = new Set<string>();
    const settlements = receipts.map((each): Settlement => {
      if (!change(each)) return "lost";
      if (each.groupId !== undefined) changedGroups.add(each.groupId);
      return "settled";
    });
    for (const groupId of changedGroups) groups.refresh(queueId, groupId);
    return settlements;
  };
  const update = (statement: StatementSync, untilMs: number, { id, receipt }: Receipt, nowMs: number) =>
    Number(statement.run(untilMs, id, queueId, receipt, nowMs).changes) === 1;
  return {
    acknowledge: (receipts, nowMs) =>
      settle(receipts, ({ id, receipt }) => {
        if (Number(deleteHeld.run(id, queueId, receipt, nowMs).changes) === 0) return false;
        deleteContent.run(id);
        return true;
      }),
    release: (receipts, nowMs, delayMs) =>
      settle(receipts, (each) => update(releaseHeld, nowMs + Math.ceil(delayMs), each, nowMs)),
    extend: (receipts, nowMs, holdMs) =>
      settle(receipts, (each) => update(extendHeld, nowMs + Math.ceil(holdMs), each, nowMs)),
  };
}
