import type { NewSource, OutgoingRecord, RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { LockWait } from "../../src/sqlite/lock-wait.ts";
import { SQLITE_IOERR, sqliteErrorCode } from "../../src/sqlite/sqlite-error.ts";
import { LOCK_WAIT_MS } from "./stream-database.ts";
import { openStreamFile, type StreamFile } from "./stream-file.ts";

/** One transaction holds the file's write lock for no longer than so many records take. */
const RECORDS_MAX = 1_000;
const BYTES_MAX = 8 * 1024 * 1024;
/** What is made because it was not there keeps records for a week. */
const MADE_RETENTION_MS = 7 * 24 * 60 * 60 * 1000;
/** AWS's bound. */
const HOLD_MS_MAX = 12 * 60 * 60 * 1000;

type NewStreamSource = Pick<NewSource, "shards" | "retentionMs">;
type NewQueueSource = Pick<NewSource, "retentionMs" | "visibilityMs">;

/** Makes the stream when the file has none of this name. */
export function openStreamSender(path: string, name: string, source: NewSource): RecordSender {
  const file = openStreamFile(path, { lockWaitMs: 0 });
  addStream(file, name, source);
  const stream = file.openStream(name);
  return senderInto(file, (records) => {
    stream.append(records.map(({ key, data }) => ({ partitionKey: key, data })));
  });
}

/** Makes the queue when the file has none of this name. Keys become the groups of a FIFO queue. */
export function openQueueSender(path: string, name: string, source: NewSource): RecordSender {
  const file = openStreamFile(path, { lockWaitMs: 0 });
  addQueue(file, name, source);
  const queue = file.openQueue(name);
  return senderInto(file, (records) => {
    queue.send(
      records.map(({ key, data }) => (queue.isFifo ? { body: data, groupId: key } : { body: data })),
    );
  });
}

/** True: the file had no stream of this name, and has one now. */
export function makeStream(path: string, name: string): boolean {
  return addedTo(path, (file) => addStream(file, name, { shards: 1, retentionMs: MADE_RETENTION_MS }));
}

/** True: the file had no queue of this name, and has one now. */
export function makeQueue(path: string, name: string, holdMs: number): boolean {
  const wanted = { retentionMs: MADE_RETENTION_MS, visibilityMs: Math.min(holdMs, HOLD_MS_MAX) };
  return addedTo(path, (file) => addQueue(file, name, wanted));
}

function addedTo(path: string, add: (file: StreamFile) => boolean): boolean {
  const file = openStreamFile(path, { lockWaitMs: 0 });
  try {
    return add(file);
  } finally {
    file.close();
  }
}

function addStream(file: StreamFile, name: string, { shards, retentionMs }: NewStreamSource): boolean {
  if (file.hasStream(name)) return false;
  file.createStream({ name, shards, retentionMs });
  return true;
}

function addQueue(file: StreamFile, name: string, { retentionMs, visibilityMs }: NewQueueSource): boolean {
  if (file.hasQueue(name)) return false;
  file.createQueue({ name, retentionMs, visibilityMs });
  return true;
}

function senderInto(file: StreamFile, append: (records: readonly OutgoingRecord[]) => void): RecordSender {
  const lock = new LockWait(LOCK_WAIT_MS);
  return {
    recordsMax: RECORDS_MAX,
    bytesMax: BYTES_MAX,
    concurrency: 1,
    repeatsKeys: true,
    async send(records) {
      const outcome = await outcomeOf(lock.run(() => append(records)));
      return records.map(() => outcome);
    },
    async close() {
      file.close();
    },
  };
}

/** A transaction takes all or none. Of one whose commit met a failing disk nobody knows what the disk has taken. */
async function outcomeOf(appended: Promise<void>): Promise<SendOutcome> {
  try {
    await appended;
    return "accepted";
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return sqliteErrorCode(cause) === SQLITE_IOERR ? "unknown" : "refused";
  }
}
