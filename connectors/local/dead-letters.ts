import { SourceLetters } from "../../src/lib/source-letters.ts";
import { sentSqsMessage, splitSqsEvent } from "../../src/model/sqs-event-records.ts";
import type { DeadLetters, SentLetter } from "../../src/ports/dead-letters.ts";
import type { EventRecord, EventRecords } from "../../src/ports/event-records.ts";
import { LockWait } from "../../src/sqlite/lock-wait.ts";
import { type QueueArn, siblingArn } from "./queue-arn.ts";
import { toDelivery } from "./queue-delivery.ts";
import { createLocalMessageFactory, createLocalQueueEvents } from "./queue-event.ts";
import { findQueue } from "./queue-row.ts";
import { openLocalQueueSource } from "./queue-source.ts";
import { LOCK_WAIT_MS, openStreamDatabase, streamFileError } from "./stream-database.ts";
import { openStreamFile } from "./stream-file.ts";

/**
 * The dead letters of a queue, in the same file. A look at them is a query: it hides nothing and counts as no receive.
 * `undefined`: the queue gives nothing up.
 */
export async function openLocalDeadLetters(
  path: string,
  arn: QueueArn,
  events: EventRecords,
): Promise<DeadLetters | undefined> {
  const lock = new LockWait(LOCK_WAIT_MS);
  const file = await lock.run(() => openStreamFile(path, { lockWaitMs: 0 }));
  const { redrive } = file.openQueue(arn.name);
  if (redrive === undefined) {
    file.close();
    return undefined;
  }
  const name = redrive.deadLetterQueue;
  const letters: QueueArn = { ...arn, arn: siblingArn(arn, name), name };
  const source = await lock.run(() => openLocalQueueSource(path, letters));
  return new SourceLetters({
    source,
    events,
    async send(to, messages) {
      const queue = file.openQueue(to === "letters" ? name : arn.name);
      const sent = messages.flatMap((each) => newMessage(each, queue.isFifo));
      if (sent.length > 0) await lock.run(() => queue.send(sent));
    },
    async count() {
      const { visible, held, delayed } = await lock.run(() => file.openQueue(name).depth());
      return visible + held + delayed;
    },
    peek: (max) => lock.run(() => peek(path, letters, max)),
    close: () => file.close(),
  });
}

function newMessage({ id, element }: SentLetter, isFifo: boolean) {
  const sent = sentSqsMessage(element);
  if (sent === undefined) return [];
  const { body, groupId, traceHeader, attributes } = sent;
  return [
    {
      body,
      messageAttributes: attributes,
      ...(traceHeader === undefined ? {} : { traceHeader }),
      ...(isFifo ? { groupId: groupId ?? "default", deduplicationId: id } : {}),
    },
  ];
}

/** The oldest, held ones too. */
function peek(path: string, arn: QueueArn, max: number): readonly EventRecord[] {
  const database = openStreamDatabase(path, 0);
  try {
    const { id } = findQueue(path, database, arn.name);
    const rows = database
      .prepare(
        "SELECT * FROM message JOIN message_content USING (id) WHERE queue = ? ORDER BY sequence LIMIT ?",
      )
      .all(id, max);
    const toMessage = createLocalMessageFactory(arn, false);
    const messages = rows.map((row) => toMessage(toDelivery("", row)));
    const whole = messages.filter(({ damage }) => damage === undefined);
    return whole.length === 0 ? [] : (splitSqsEvent(createLocalQueueEvents().encode(whole)) ?? []);
  } catch (error) {
    throw streamFileError(path, error);
  } finally {
    database.close();
  }
}
