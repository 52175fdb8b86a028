import type { NewSource, OutgoingRecord, RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { LockWait } from "../../src/sqlite/lock-wait.ts";
import { SQLITE_IOERR, sqliteErrorCode } from "../../src/sqlite/sqlite-error.ts";
import { LOCK_WAIT_MS } from "./stream-database.ts";
import { openStreamFile, type StreamFile } from "./stream-file.ts";

/** One transaction holds the file's write lock for no longer than so many records take. */
const RECORDS_MAX = 1_000;
const BYTES_MAX = 8 * 1024 * 1024;

/** Makes the stream when the file has none of this name. */
export function openStreamSender(path: string, name: string, source: NewSource): RecordSender {
  const file = openStreamFile(path, { lockWaitMs: 0 });
  const { shards, retentionMs } = source;
  const stream = file.hasStream(name)
    ? file.openStream(name)
    : file.createStream({ name, shards, retentionMs });
  return senderInto(file, (records) => {
    stream.append(records.map(({ key, data }) => ({ partitionKey: key, data })));
  });
}

/** Makes the queue when the file has none of this name. Keys become the groups of a FIFO queue. */
export function openQueueSender(path: string, name: string, source: NewSource): RecordSender {
  const file = openStreamFile(path, { lockWaitMs: 0 });
  const { retentionMs, visibilityMs } = source;
  const queue = file.hasQueue(name)
    ? file.openQueue(name)
    : file.createQueue({ name, retentionMs, visibilityMs });
  return senderInto(file, (records) => {
    queue.send(
      records.map(({ key, data }) => (queue.isFifo ? { body: data, groupId: key } : { body: data })),
    );
  });
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
