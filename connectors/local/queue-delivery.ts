import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { assertInvariant, describeError } from "../../src/model/errors.ts";
import { isStorageError } from "../../src/sqlite/sqlite-error.ts";
import { changedRows } from "../../src/sqlite/transaction.ts";
import type { FileTime } from "./file-clock.ts";
import { createGroupTable, type GroupTable } from "./message-group.ts";
import type { QueueRow } from "./queue-row.ts";

/** What a receive takes out of a queue. */
export interface Taken {
  readonly deliveries: readonly (Delivery | DamagedDelivery)[];
  /** Retention or redrive had so much to do that messages may be left that can be taken at once. */
  readonly mayHaveMore: boolean;
}

/** What settles one delivery of one message. */
interface Held {
  readonly id: number;
  /** New at each delivery: what settles this one settles no other. */
  readonly receipt: string;
  readonly groupId: string | undefined;
  /** 1 at the first delivery; goes on counting in a dead-letter queue, as in SQS. */
  readonly receiveCount: number;
}

/** The message's row cannot be read. */
export interface DamagedDelivery extends Held {
  readonly damage: string;
}

/** One delivery of one message, held until it is settled or its hold ends. */
export interface Delivery extends Held {
  readonly damage?: undefined;
  readonly sequence: number;
  readonly messageId: string;
  readonly deduplicationId: string | undefined;
  readonly sentMs: number;
  readonly firstReceivedMs: number;
  /** Name of the queue that a message in a dead-letter queue came from. */
  readonly deadLetterSource: string | undefined;
  readonly traceHeader: string | undefined;
  /** JSON; `undefined`: none. */
  readonly attributes: string | undefined;
  readonly attributesMd5: string | undefined;
  readonly bodyMd5: string;
  readonly body: string;
}

const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/** A receive holds the file's write lock no longer than it takes to move or drop so many messages. */
const CLEARED_MAX = 1_000;

/** Takes messages out of one queue. Every call belongs inside a write transaction. */
export class QueueDelivery {
  readonly #queue: QueueRow;
  readonly #groups: GroupTable;
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: DatabaseSync, queue: QueueRow) {
    this.#queue = queue;
    this.#groups = createGroupTable(database);
    this.#sql = prepareStatements(database);
  }

  /**
   * When the next message may be taken, now or in future; `undefined`: the queue is empty. Needs no write transaction.
   */
  nextVisibleMs(): number | undefined {
    if (this.#queue.isFifo) return this.#groups.nextReadyMs(this.#queue.id);
    const visibleMs = this.#sql.nextVisible.get(this.#queue.id)?.["visible_ms"];
    return visibleMs === undefined ? undefined : Number(visibleMs);
  }

  /**
   * Messages that were received as often as the redrive policy allows go to the dead-letter queue instead (queues
   * §2.2).
   */
  take(messagesMax: number, holdMs: number, time: FileTime): Taken {
    const budget = { messages: messagesMax, cleared: CLEARED_MAX - this.trim(time) };
    const deliveries: AnyDelivery[] = [];
    // Ends: every candidate is either taken or cleared away, and both have a limit.
    while (budget.messages > 0 && budget.cleared > 0) {
      const before = budget.messages + budget.cleared;
      const taken = this.#queue.isFifo
        ? this.#takeFromGroups(budget, holdMs, time)
        : this.#takeUnordered(budget, holdMs, time);
      if (taken === undefined) break;
      deliveries.push(...taken);
      const left = budget.messages + budget.cleared;
      assertInvariant(left < before, `The local queue "${this.#queue.name}" named messages that are hidden`);
    }
    return { deliveries, mayHaveMore: budget.cleared <= 0 };
  }

  /** Drops what retention has ended, held or not, at most `CLEARED_MAX` messages. Returns their number. */
  trim({ nowMs }: FileTime): number {
    if (this.#queue.retentionMs === undefined) return 0;
    const cutoffMs = nowMs - this.#queue.retentionMs;
    const expired = this.#expired(cutoffMs);
    for (const { id } of expired) {
      this.#sql.deleteMessage.run(id);
      this.#sql.deleteContent.run(id);
    }
    this.#refresh(expired.map((row) => row.group_id));
    return expired.length;
  }

  /** Messages arrive in the order of their sequence: the expired ones come first. */
  #expired(cutoffMs: number): readonly OldRow[] {
    const oldest = (rowsMax: number) =>
      this.#sql.oldest.all(this.#queue.id, rowsMax) as unknown as readonly OldRow[];
    if (!oldest(1).some((row) => row.arrived_ms < cutoffMs)) return [];
    return oldest(CLEARED_MAX).filter((row) => row.arrived_ms < cutoffMs);
  }

  #takeUnordered(budget: Budget, holdMs: number, time: FileTime): AnyDelivery[] | undefined {
    const rows = this.#sql.visible.all(this.#queue.id, time.nowMs, Math.min(budget.messages, budget.cleared));
    if (rows.length === 0) return undefined;
    return this.#takeRows(rows as unknown as readonly CandidateRow[], budget, holdMs, time);
  }

  #takeFromGroups(budget: Budget, holdMs: number, time: FileTime): AnyDelivery[] | undefined {
    const groups = this.#groups.ready(this.#queue.id, time.nowMs, budget.messages);
    if (groups.length === 0) return undefined;
    const deliveries: AnyDelivery[] = [];
    for (const groupId of groups) {
      const rowsMax = Math.min(budget.messages, budget.cleared);
      if (rowsMax <= 0) break;
      const rows = this.#sql.inGroup.all(
        this.#queue.id,
        groupId,
        rowsMax,
      ) as unknown as readonly CandidateRow[];
      const hidden = rows.findIndex((row) => row.visible_ms > time.nowMs);
      const visible = hidden < 0 ? rows : rows.slice(0, hidden);
      deliveries.push(...this.#takeRows(visible, budget, holdMs, time));
      this.#refresh([groupId]);
    }
    return deliveries;
  }

  #takeRows(rows: readonly CandidateRow[], budget: Budget, holdMs: number, time: FileTime): AnyDelivery[] {
    const deliveries: AnyDelivery[] = [];
    for (const row of rows) {
      if (this.#isExhausted(row)) {
        this.#moveToDeadLetters(row, time);
        budget.cleared -= 1;
      } else {
        deliveries.push(this.#deliver(row, holdMs, time));
        budget.messages -= 1;
      }
    }
    return deliveries;
  }

  #isExhausted(row: CandidateRow): boolean {
    return this.#queue.redrive !== undefined && row.receive_count >= this.#queue.redrive.receiveCountMax;
  }

  #moveToDeadLetters(row: CandidateRow, { nowMs }: FileTime): void {
    const { redrive, name } = this.#queue;
    if (redrive === undefined) return;
    const sequence = Number(this.#sql.nextSequence(redrive.deadLetterQueueId)[0]?.["last_sequence"]);
    this.#sql.move.run(redrive.deadLetterQueueId, sequence, nowMs, nowMs, name, row.id);
    if (row.group_id !== null) this.#groups.refresh(redrive.deadLetterQueueId, row.group_id);
  }

  #deliver({ id, group_id, receive_count }: CandidateRow, holdMs: number, time: FileTime): AnyDelivery {
    const receipt = randomUUID();
    // At least a millisecond: a message without any hold would be taken again by this very receive.
    this.#sql.hold.run(receipt, time.nowMs + Math.max(1, Math.ceil(holdMs)), time.hostMs, id);
    const held = { id, receipt, groupId: group_id ?? undefined, receiveCount: receive_count + 1 };
    try {
      return toDelivery(receipt, this.#readDelivered(id));
    } catch (error) {
      // plant: a-row-of-a-local-queue-that-cannot-be-read-fails-its-whole-receive
      if (isStorageError(error)) throw error;
      // Its neighbours are none the worse for a row with a number that is none, or without its contents.
      return { ...held, damage: describeError(error) };
    }
  }

  #readDelivered(id: number): DeliveredRow {
    const row = this.#sql.delivered.get(id);
    if (row === undefined) throw new Error("its row has no contents");
    return row as unknown as DeliveredRow;
  }

  #refresh(groupIds: readonly (string | null)[]): void {
    for (const groupId of new Set(groupIds)) {
      if (groupId !== null) this.#groups.refresh(this.#queue.id, groupId);
    }
  }
}

type AnyDelivery = Delivery | DamagedDelivery;

/** What is left of a receive's limits. */
interface Budget {
  messages: number;
  cleared: number;
}

interface OldRow {
  readonly id: number;
  readonly group_id: string | null;
  readonly arrived_ms: number;
}

interface CandidateRow {
  readonly id: number;
  readonly group_id: string | null;
  readonly visible_ms: number;
  readonly receive_count: number;
}

interface DeliveredRow {
  readonly id: number;
  readonly sequence: number;
  readonly group_id: string | null;
  readonly receive_count: number;
  readonly first_received_ms: number;
  readonly dead_letter_source: string | null;
  readonly message_id: string;
  readonly sent_ms: number;
  readonly deduplication_id: string | null;
  readonly trace_header: string | null;
  readonly attributes: string | null;
  readonly attributes_md5: string | null;
  readonly body_md5: string;
  readonly body: string;
}

/** `row`: a message with its content. */
export function toDelivery(receipt: string, columns: object): Delivery {
  const row = columns as DeliveredRow;
  return {
    id: row.id,
    receipt,
    sequence: row.sequence,
    messageId: row.message_id,
    groupId: row.group_id ?? undefined,
    deduplicationId: row.deduplication_id ?? undefined,
    receiveCount: row.receive_count,
    sentMs: row.sent_ms,
    firstReceivedMs: row.first_received_ms,
    deadLetterSource: row.dead_letter_source ?? undefined,
    traceHeader: row.trace_header ?? undefined,
    attributes: row.attributes ?? undefined,
    attributesMd5: row.attributes_md5 ?? undefined,
    bodyMd5: row.body_md5,
    body: row.body,
  };
}

function prepareStatements(database: DatabaseSync) {
  // A number that JavaScript cannot hold fails a statement, and with it all of a receive: such a row stays hidden for
  // ever.
  const candidate =
    `SELECT id, group_id, min(visible_ms, ${NUMBER_MAX}) AS visible_ms, ` +
    `min(receive_count, ${NUMBER_MAX}) AS receive_count FROM message`;
  return {
    nextVisible: database.prepare(
      `SELECT min(visible_ms, ${NUMBER_MAX}) AS visible_ms FROM message WHERE queue = ? AND group_id IS NULL ` +
        "ORDER BY message.visible_ms LIMIT 1",
    ),
    visible: database.prepare(
      `${candidate} WHERE queue = ? AND group_id IS NULL AND message.visible_ms <= ? ` +
        "ORDER BY message.visible_ms, sequence LIMIT ?",
    ),
    inGroup: database.prepare(
      `${candidate} WHERE queue = ? AND group_id = ? AND group_id IS NOT NULL ORDER BY sequence LIMIT ?`,
    ),
    hold: database.prepare(
      "UPDATE message SET receipt = ?, visible_ms = ?, receive_count = receive_count + 1, " +
        "first_received_ms = coalesce(first_received_ms, ?) WHERE id = ?",
    ),
    delivered: database.prepare("SELECT * FROM message JOIN message_content USING (id) WHERE id = ?"),
    nextSequence: changedRows(
      database,
      "UPDATE queue SET last_sequence = last_sequence + 1 WHERE id = ? RETURNING last_sequence",
    ),
    move: database.prepare(
      "UPDATE message SET queue = ?, sequence = ?, visible_ms = ?, arrived_ms = ?, dead_letter_source = ?, " +
        "receipt = NULL WHERE id = ?",
    ),
    oldest: database.prepare(
      "SELECT id, group_id, arrived_ms FROM message WHERE queue = ? ORDER BY sequence LIMIT ?",
    ),
    deleteMessage: database.prepare("DELETE FROM message WHERE id = ?"),
    deleteContent: database.prepare("DELETE FROM message_content WHERE id = ?"),
  };
}
