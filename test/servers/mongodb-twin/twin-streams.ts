import { type Document, Long, Timestamp } from "mongodb";
import type { TwinData } from "./twin-data.ts";
import { CommandError } from "./twin-error.ts";
import {
  changeToken,
  invalidationToken,
  type LogEntry,
  type OperationTime,
  placeToken,
  readToken,
  type TwinLog,
  timestampOf,
} from "./twin-log.ts";

interface StreamCursor {
  readonly id: number;
  readonly database: string;
  /** Absent: all of the database. */
  readonly collection: string | undefined;
  readonly looksUp: boolean;
  readonly isShrunk: boolean;
  next: number;
}

const BATCH_DEFAULT = 101;
/** The server's own bound of a document. */
const CHANGE_BYTES_MAX = 16 * 1024 * 1024;

/** The change streams of a set: cursors in its log. */
export class TwinStreams {
  readonly #log: TwinLog;
  readonly #data: TwinData;
  readonly #cursors = new Map<number, StreamCursor>();
  #ids = 0;

  constructor(log: TwinLog, data: TwinData) {
    this.#log = log;
    this.#data = data;
  }

  get count(): number {
    return this.#cursors.size;
  }

  /** @throws CommandError as MongoDB does. */
  open(database: string, command: Document): Document {
    const target: unknown = command["aggregate"];
    const [first, ...rest] = command["pipeline"] as readonly Document[];
    const stage = first?.["$changeStream"] as Document | undefined;
    if (stage === undefined)
      throw new CommandError(40_324, "Location40324", "the twin knows $changeStream only");
    const cursor: StreamCursor = {
      id: ++this.#ids,
      database,
      collection: typeof target === "string" ? target : undefined,
      looksUp: stage["fullDocument"] === "updateLookup",
      isShrunk: rest.some((each) => "$project" in each),
      next: this.#startOf(stage, Number(command["cursor"]?.batchSize ?? 1) > 0),
    };
    this.#cursors.set(cursor.id, cursor);
    const batchSize = Number(command["cursor"]?.batchSize ?? BATCH_DEFAULT);
    if (batchSize === 0) {
      const { t, i } = this.#log.last;
      return this.#answer(cursor, "firstBatch", [], placeToken({ t, i: i + 1 }));
    }
    return this.#batch(cursor, "firstBatch", batchSize);
  }

  /** @throws CommandError as MongoDB does. */
  async more(command: Document): Promise<Document> {
    const id = Number(command["getMore"]);
    const untilMs = performance.now() + Number(command["maxTimeMS"] ?? 1_000);
    for (;;) {
      const cursor = this.#cursors.get(id);
      if (cursor === undefined) throw new CommandError(43, "CursorNotFound", `cursor id ${id} not found`);
      const answer = this.#batch(
        cursor,
        "nextBatch",
        Number(command["batchSize"] ?? Number.MAX_SAFE_INTEGER),
      );
      const leftMs = untilMs - performance.now();
      if (answer["cursor"].nextBatch.length > 0 || leftMs <= 0) return answer;
      await this.#log.changed(
        leftMs,
        () => this.#cursors.get(id) === undefined || cursor.next < this.#log.end,
      );
    }
  }

  kill(ids: readonly unknown[]): void {
    for (const id of ids) this.#cursors.delete(Number(id));
    this.#log.wake();
  }

  killAll(): void {
    this.#cursors.clear();
    this.#log.wake();
  }

  /** A server looks at the beginning of its log when it reads, and not before. */
  #startOf(stage: Document, isRead: boolean): number {
    const { startAtOperationTime: time, resumeAfter, startAfter } = stage;
    if (time instanceof Timestamp) return this.#indexAt({ t: time.t, i: time.i }, true, isRead);
    const data: unknown = (resumeAfter ?? startAfter)?._data;
    if (data === undefined) return this.#log.end;
    const token = readToken(String(data));
    if (token === undefined)
      throw new CommandError(260, "InvalidResumeToken", "Attempted to resume from nowhere");
    if (token.isInvalidation && resumeAfter !== undefined) {
      const text =
        "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate";
      throw new CommandError(260, "InvalidResumeToken", text);
    }
    return this.#indexAt(token.time, token.isPlace, isRead);
  }

  #indexAt(time: OperationTime, isInclusive: boolean, isRead: boolean): number {
    if (isRead && this.#log.hasLost(time)) {
      const text =
        "Resume of change stream was not possible, as the resume point may no longer be in the oplog.";
      throw new CommandError(286, "ChangeStreamHistoryLost", text, ["NonResumableChangeStreamError"]);
    }
    return this.#log.indexAt(time, isInclusive);
  }

  #batch(cursor: StreamCursor, name: "firstBatch" | "nextBatch", size: number): Document {
    const changes: Document[] = [];
    let token = placeToken(this.#log.last);
    // What the cursor stands before may have left the log.
    const missed = this.#log.at(cursor.next) === undefined && cursor.next < this.#log.end;
    if (missed) throw new CommandError(136, "CappedPositionLost", "the scan has lost its place in the log");
    while (changes.length < size && cursor.next < this.#log.end) {
      const entry = this.#log.at(cursor.next);
      if (entry === undefined) break;
      if (isSeen(cursor, entry)) {
        const change = this.#changeOf(cursor, entry);
        token = change["_id"]._data;
        changes.push(change);
      } else token = placeToken(entry.time);
      cursor.next++;
      if (isSeen(cursor, entry) && entry.operationType === "invalidate") {
        this.#cursors.delete(cursor.id);
        return this.#answer({ ...cursor, id: 0 }, name, changes, token);
      }
    }
    return this.#answer(cursor, name, changes, token);
  }

  #answer(
    { id, database, collection }: StreamCursor,
    name: string,
    changes: readonly Document[],
    token: string,
  ): Document {
    const ns = `${database}.${collection ?? "$cmd.aggregate"}`;
    return {
      cursor: { [name]: changes, postBatchResumeToken: { _data: token }, id: Long.fromNumber(id), ns },
      operationTime: timestampOf(this.#log.last),
    };
  }

  #changeOf(cursor: StreamCursor, entry: LogEntry): Document {
    const { operationType, time, database, collection, id } = entry;
    const isInvalidation = operationType === "invalidate";
    const change: Document = {
      _id: { _data: isInvalidation ? invalidationToken(time) : changeToken(time) },
      operationType,
      clusterTime: timestampOf(time),
      wallTime: new Date(time.t * 1000),
    };
    if (isInvalidation) return change;
    const document =
      operationType === "update" && cursor.looksUp
        ? (this.#data.find(database, collection ?? "", id) ?? null)
        : entry.fullDocument;
    if (document !== undefined && !cursor.isShrunk) change["fullDocument"] = document;
    change["ns"] = collection === undefined ? { db: database } : { db: database, coll: collection };
    if (id !== undefined) change["documentKey"] = { _id: id };
    if (entry.updateDescription !== undefined && !cursor.isShrunk)
      change["updateDescription"] = entry.updateDescription;
    checkSize(change);
    return change;
  }
}

function isSeen({ database, collection }: StreamCursor, entry: LogEntry): boolean {
  if (entry.operationType === "noop" || entry.database !== database) return false;
  if (collection !== undefined) return entry.collection === collection;
  return entry.operationType !== "invalidate" || entry.collection === undefined;
}

/** By the one member that tests make large: to measure all of them would cost more than the rest. */
function checkSize({ fullDocument }: Document): void {
  const padding: unknown = fullDocument?.padding;
  if (typeof padding !== "string" || padding.length < CHANGE_BYTES_MAX - 1024) return;
  throw new CommandError(10_334, "BSONObjectTooLarge", `BSONObj size: ${padding.length} is invalid.`);
}
