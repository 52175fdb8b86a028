import type { NewSource, OutgoingRecord, RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { openStreamFile, type StreamFile } from "./stream-file.ts";

/** One transaction holds the file's write lock for no longer than so many records take. */
const RECORDS_MAX = 1_000;
const BYTES_MAX = 8 * 1024 * 1024;

/** Makes the stream when the file has none of this name. */
export function openStreamSender(path: string, name: string, source: NewSource): RecordSender {
  const file = openStreamFile(path);
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
  const file = openStreamFile(path);
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
  return {
    recordsMax: RECORDS_MAX,
    bytesMax: BYTES_MAX,
    concurrency: 1,
    repeatsKeys: true,
    async send(records) {
      // A transaction takes all or none.
      const outcome: SendOutcome = isDone(() => append(records)) ? "accepted" : "refused";
      return records.map(() => outcome);
    },
    async close() {
      file.close();
    },
  };
}

function isDone(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
