import { createHash, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { attributeDigest } from "../../src/aws/attribute-digest.ts";
import { changedRows, inTransaction } from "../../src/sqlite/transaction.ts";
import { createFileClock, type FileClock, type FileTime } from "./file-clock.ts";
import { formatAttributes } from "./message-attributes.ts";
import { createGroupTable, type GroupTable } from "./message-group.ts";
import { checkMessage, type NewMessage, withContentId } from "./new-message.ts";
import { formatPosition } from "./position.ts";
import { QueueDelivery } from "./queue-delivery.ts";
import { findQueue, type QueueRow } from "./queue-row.ts";
import { type FilePlace, streamFileError } from "./stream-database.ts";

/** One queue of a file, to send to and to look into. Functions see its messages as SQS messages. */
export interface LocalQueue {
  readonly name: string;
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  readonly delayMs: number;
  readonly retentionMs: number | undefined;
  readonly contentBasedDeduplication: boolean;
  readonly createdMs: number | undefined;
  readonly redrive: { readonly deadLetterQueue: string; readonly maxReceiveCount: number } | undefined;
  /**
   * Sends all messages or none, in their order. When it returns, they are on the disk.
   * @throws ERR_MILLRACE_CONFIG when a message is not valid.
   */
  send(messages: readonly NewMessage[]): readonly SentMessage[];
  depth(): QueueDepth;
  /**
   * The oldest messages, held ones too, of no more bytes than given but for the first. Looking at them changes nothing
   * and counts as no receive.
   */
  peek(messagesMax: number, bytesMax?: number): readonly WaitingMessage[];
  /** Takes all messages away, held ones too. Returns their number. */
  purge(): number;
  /** Idempotent; closes the file. */
  close(): void;
}

export interface SentMessage {
  readonly messageId: string;
  /** FIFO: larger for each later message of the queue. */
  readonly sequenceNumber: string | undefined;
}

export interface QueueDepth {
  /** May be received, or wait behind others of their group. */
  readonly visible: number;
  /** With a receiver now. */
  readonly held: number;
  /** Not to be received yet: sent, or released, with a delay. */
  readonly delayed: number;
}

export interface WaitingMessage {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string | undefined;
  readonly receiveCount: number;
  /** Epoch milliseconds. */
  readonly sentMs: number;
  /** Name of the queue that a message in a dead-letter queue came from. */
  readonly deadLetterSource: string | undefined;
}

/** A second message with the same deduplication id is not sent within this time (queues §2.5, as in SQS). */
const DEDUPLICATION_MS = 300_000;
const FORGOTTEN_MAX = 1_000;

export function openQueueTable(
  place: FilePlace,
  database: DatabaseSync,
  name: string,
  now: () => number,
): LocalQueue {
  return new QueueTable(place, database, name, now);
}

class QueueTable implements LocalQueue {
  readonly name: string;
  readonly isFifo: boolean;
  readonly visibilityMs: number;
  readonly delayMs: number;
  readonly retentionMs: number | undefined;
  readonly contentBasedDeduplication: boolean;
  readonly createdMs: number | undefined;
  readonly redrive: LocalQueue["redrive"];
  readonly #path: string;
  readonly #place: FilePlace;
  readonly #database: DatabaseSync;
  readonly #queue: QueueRow;
  readonly #clock: FileClock;
  readonly #groups: GroupTable;
  readonly #delivery: QueueDelivery;
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(place: FilePlace, database: DatabaseSync, name: string, now: () => number) {
    const { path } = place;
    const queue = findQueue(path, database, name);
    this.name = name;
    this.isFifo = queue.isFifo;
    this.visibilityMs = queue.visibilityMs;
    this.delayMs = queue.delayMs;
    this.retentionMs = queue.retentionMs;
    this.contentBasedDeduplication = queue.deduplicatesContent;
    this.createdMs = queue.createdMs;
    this.redrive = queue.redrive && {
      deadLetterQueue: queue.redrive.deadLetterQueue,
      maxReceiveCount: queue.redrive.receiveCountMax,
    };
    this.#path = path;
    this.#place = place;
    this.#database = database;
    this.#queue = queue;
    this.#clock = createFileClock(database, now);
    this.#groups = createGroupTable(database);
    this.#delivery = new QueueDelivery(database, queue);
    this.#sql = prepareStatements(database);
  }

  send(given: readonly NewMessage[]): readonly SentMessage[] {
    for (const message of given) checkMessage(message, this.isFifo);
    const messages = this.#queue.deduplicatesContent ? given.map(withContentId) : given;
    return this.#write(() => {
      const time = this.#clock.advance();
      this.#delivery.trim(time);
      // Twice what comes in, at least: the table grows no further than what was sent within the window.
      this.#sql.forget.run(time.nowMs, Math.max(FORGOTTEN_MAX, messages.length * 2));
      const sent = messages.map((message) => this.#sendOnce(message, time));
      for (const groupId of new Set(messages.map((message) => message.groupId))) {
        if (groupId !== undefined) this.#groups.refresh(this.#queue.id, groupId);
      }
      return sent;
    });
  }

  depth(): QueueDepth {
    return this.#read(() => {
      const nowMs = this.#nowMs();
      const row = this.#sql.depth.get(nowMs, nowMs, nowMs, this.#queue.id, this.#keptSinceMs(nowMs));
      return {
        visible: Number(row?.["visible"]),
        held: Number(row?.["held"]),
        delayed: Number(row?.["delayed"]),
      };
    });
  }

  peek(messagesMax: number, bytesMax = Number.POSITIVE_INFINITY): readonly WaitingMessage[] {
    return this.#read(() => {
      const found: WaitingMessage[] = [];
      let bytes = 0;
      const rows = this.#sql.oldest.iterate(this.#queue.id, this.#keptSinceMs(this.#nowMs()), messagesMax);
      for (const row of rows as Iterable<unknown> as Iterable<WaitingRow>) {
        bytes += row.body.length;
        if (found.length > 0 && bytes > bytesMax) break;
        found.push(toWaitingMessage(row));
      }
      return found;
    });
  }

  purge(): number {
    return this.#write(() => {
      this.#sql.purgeContent.run(this.#queue.id);
      this.#sql.purgeGroups.run(this.#queue.id);
      return Number(this.#sql.purge.run(this.#queue.id).changes);
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #sendOnce(message: NewMessage, time: FileTime): SentMessage {
    const { deduplicationId } = message;
    if (deduplicationId === undefined) return this.#insert(message, time);
    const earlier = this.#sql.findSent.get(this.#queue.id, deduplicationId, time.nowMs);
    if (earlier !== undefined) {
      const sequenceNumber = formatPosition(Number(earlier["sequence"]));
      return { messageId: String(earlier["message_id"]), sequenceNumber };
    }
    const sent = this.#insert(message, time);
    const untilMs = time.nowMs + DEDUPLICATION_MS;
    const sequence = Number(sent.sequenceNumber);
    this.#sql.noteSent.run(this.#queue.id, deduplicationId, sent.messageId, sequence, untilMs);
    return sent;
  }

  #insert(message: NewMessage, { nowMs, hostMs }: FileTime): SentMessage {
    const sequence = Number(this.#sql.nextSequence(this.#queue.id)[0]?.["last_sequence"]);
    const visibleMs = nowMs + (message.delayMs ?? this.#queue.delayMs);
    const groupId = message.groupId ?? null;
    const { lastInsertRowid } = this.#sql.insert.run(this.#queue.id, sequence, groupId, visibleMs, nowMs);
    const attributes = message.messageAttributes;
    const hasAttributes = attributes !== undefined && Object.keys(attributes).length > 0;
    const messageId = randomUUID();
    this.#sql.insertContent.run(
      lastInsertRowid,
      messageId,
      hostMs,
      message.deduplicationId ?? null,
      message.traceHeader ?? null,
      hasAttributes ? formatAttributes(attributes) : null,
      hasAttributes ? attributeDigest(attributes) : null,
      createHash("md5").update(message.body).digest("hex"),
      message.body,
    );
    return { messageId, sequenceNumber: this.isFifo ? formatPosition(sequence) : undefined };
  }

  /** For reading only: holds that end while the host's clock is set back are shown a little later. */
  #nowMs(): number {
    return this.#clock.peek() ?? Number(this.#sql.notedTime.get()?.["file_ms"]);
  }

  #keptSinceMs(nowMs: number): number {
    return this.retentionMs === undefined ? 0 : nowMs - this.retentionMs;
  }

  #read<T>(work: () => T): T {
    return this.#guard(() => inTransaction(this.#database, "DEFERRED", work));
  }

  #write<T>(work: () => T): T {
    return this.#guard(() => {
      const result = inTransaction(this.#database, "IMMEDIATE", work);
      this.#place.checkStillThere();
      return result;
    });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw streamFileError(this.#path, error);
    }
  }
}

interface WaitingRow {
  readonly message_id: string;
  readonly body: string;
  readonly group_id: string | null;
  readonly receive_count: number;
  readonly sent_ms: number;
  readonly dead_letter_source: string | null;
}

function toWaitingMessage(row: WaitingRow): WaitingMessage {
  return {
    messageId: row.message_id,
    body: row.body,
    groupId: row.group_id ?? undefined,
    receiveCount: row.receive_count,
    sentMs: row.sent_ms,
    deadLetterSource: row.dead_letter_source ?? undefined,
  };
}

function prepareStatements(database: DatabaseSync) {
  return {
    nextSequence: changedRows(
      database,
      "UPDATE queue SET last_sequence = last_sequence + 1 WHERE id = ? RETURNING last_sequence",
    ),
    insert: database.prepare(
      "INSERT INTO message (queue, sequence, group_id, visible_ms, arrived_ms) VALUES (?, ?, ?, ?, ?)",
    ),
    insertContent: database.prepare("INSERT INTO message_content VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    findSent: database.prepare(
      "SELECT message_id, sequence FROM deduplication WHERE queue = ? AND deduplication_id = ? AND until_ms > ?",
    ),
    noteSent: database.prepare("INSERT OR REPLACE INTO deduplication VALUES (?, ?, ?, ?, ?)"),
    forget: database.prepare(
      "DELETE FROM deduplication WHERE (queue, deduplication_id) IN " +
        "(SELECT queue, deduplication_id FROM deduplication WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)",
    ),
    depth: database.prepare(
      "SELECT count(*) FILTER (WHERE visible_ms <= ?) AS visible, " +
        "count(*) FILTER (WHERE visible_ms > ? AND receipt IS NOT NULL) AS held, " +
        "count(*) FILTER (WHERE visible_ms > ? AND receipt IS NULL) AS delayed " +
        "FROM message WHERE queue = ? AND arrived_ms >= ?",
    ),
    oldest: database.prepare(
      "SELECT * FROM message JOIN message_content USING (id) WHERE queue = ? AND arrived_ms >= ? " +
        "ORDER BY sequence LIMIT ?",
    ),
    notedTime: database.prepare("SELECT file_ms FROM file_clock WHERE id = 1"),
    purgeContent: database.prepare(
      "DELETE FROM message_content WHERE id IN (SELECT id FROM message WHERE queue = ?)",
    ),
    purgeGroups: database.prepare("DELETE FROM message_group WHERE queue = ?"),
    purge: database.prepare("DELETE FROM message WHERE queue = ?"),
  };
}
