import { cloudOf, type Place } from "../../src/model/place.ts";
import type {
  EmbeddedQueue,
  EmbeddedSources,
  NewEmbeddedQueue,
  NewQueueMessage,
  QueueKeeper,
} from "../../src/ports/embedded-sources.ts";
import { DEFAULT_FILE, KeeperFile } from "./keeper-file.ts";
import type { LocalQueue, SentMessage } from "./local-queue.ts";
import { checkMessage, type NewMessage } from "./new-message.ts";
import { parseQueueArn } from "./queue-arn.ts";
import type { StreamFile } from "./stream-file.ts";
import { nameWithin } from "./stream-keeper.ts";

/** What a look shows at once, but for the first message. */
const SHOWN_BYTES_MAX = 4 * 1024 * 1024;

/** The queues of a file, for whoever sends messages. */
export function embeddedQueues(endpointName: string): EmbeddedSources<QueueKeeper> {
  return {
    endpointName,
    defaultPlace: DEFAULT_FILE,
    nameOf: (arn) => nameWithin(() => parseQueueArn(arn).name),
    arnOf: (name, { region, account }: Place) =>
      `arn:${cloudOf(region)}:local:${region}:${account}:queue/${name}`,
    open: async (at, mayCreate) => keeperOf(await KeeperFile.open(at, mayCreate)),
  };
}

function keeperOf(kept: KeeperFile): QueueKeeper {
  return {
    names: () => kept.read(({ file }) => file.queueNames()),
    has: (name) => kept.read(({ file }) => file.hasQueue(name)),
    find: (name) => kept.read(({ file }) => (file.hasQueue(name) ? described(file, name) : undefined)),
    create: (queue) => kept.write(({ file }) => createOnce(file, queue)),
    put: (name, messages) =>
      kept.put(messages, {
        check: (message) => checkMessage(toMessage(message), name.endsWith(".fifo")),
        bytesOf: ({ body }) => body.length,
        store: ({ file }, items) => file.openQueue(name).send(items.map(toMessage)).map(toOutcome),
      }),
    peek: (name, messagesMax) =>
      // plant: a-look-at-a-local-queue-takes-messages-away
      kept.read(({ file }) => file.openQueue(name).peek(messagesMax, SHOWN_BYTES_MAX)),
    depth: (name) => kept.read(({ file }) => file.openQueue(name).depth()),
    purge: (name) => kept.write(({ file }) => file.openQueue(name).purge()),
    close: () => kept.close(),
  };
}

function createOnce(file: StreamFile, { holdMs, ...queue }: NewEmbeddedQueue): boolean {
  if (file.hasQueue(queue.name)) return false;
  file.createQueue({ ...queue, ...(holdMs === undefined ? {} : { visibilityMs: holdMs }) });
  return true;
}

function described(file: StreamFile, name: string): EmbeddedQueue {
  const queue: LocalQueue = file.openQueue(name);
  return {
    name,
    isFifo: queue.isFifo,
    holdMs: queue.visibilityMs,
    delayMs: queue.delayMs,
    retentionMs: queue.retentionMs,
    redrive: queue.redrive,
    contentBasedDeduplication: queue.contentBasedDeduplication,
    createdMs: queue.createdMs,
  };
}

function toMessage({ attributes, ...message }: NewQueueMessage): NewMessage {
  return { ...message, ...(attributes === undefined ? {} : { messageAttributes: attributes }) };
}

function toOutcome({ messageId, sequenceNumber }: SentMessage) {
  return { kind: "stored", messageId, ...(sequenceNumber === undefined ? {} : { sequenceNumber }) } as const;
}
