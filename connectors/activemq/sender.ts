import { randomUUID } from "node:crypto";
import type { Delivery, EventContext, Sender } from "rhea";
import { inTime } from "../../src/brokers/in-time.ts";
import type { OutgoingRecord, RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { amqpFault } from "./amqp-fault.ts";
import { connectAny, type RheaOptions } from "./rhea-connection.ts";

/** In one call: the broker confirms many at once. */
const MESSAGES_MAX = 200;
const BYTES_MAX = 4 * 1024 * 1024;
const CONCURRENCY = 8;

/**
 * Sends text messages of the group of their key, and waits until the broker has taken each. @throws MillraceError when
 * it refuses.
 */
export async function openActivemqSender(options: RheaOptions, queue: string): Promise<RecordSender> {
  let link = await openLink(options, queue);
  let opening: Promise<void> | undefined;
  const renew = async () => {
    if (!link.isOver()) return;
    opening ??= openLink(options, queue)
      .then((next) => {
        link = next;
      })
      .finally(() => {
        opening = undefined;
      });
    await opening;
  };
  return {
    recordsMax: MESSAGES_MAX,
    bytesMax: BYTES_MAX,
    concurrency: CONCURRENCY,
    repeatsKeys: true,
    async send(records) {
      try {
        await renew();
      } catch {
        return records.map(() => "refused");
      }
      // Written one after the other: the link keeps their order.
      return await Promise.all(records.map((record) => link.send(record)));
    },
    async close() {
      link.close();
    },
  };
}

async function openLink(options: RheaOptions, queue: string) {
  const connection = await connectAny(options);
  const opened = Promise.withResolvers<void>();
  const sender: Sender = connection.open_sender({ target: { address: queue, capabilities: ["queue"] } });
  const waiting = new Map<Delivery, (outcome: SendOutcome) => void>();
  let isOver = false;
  const end = (error?: unknown) => {
    isOver = true;
    opened.reject(error ?? sender.error ?? new Error("the broker ended it"));
    for (const settle of waiting.values()) settle("unknown");
    waiting.clear();
  };
  const settled = (outcome: SendOutcome) => (context: EventContext) => {
    const { delivery } = context;
    if (delivery === undefined) return;
    waiting.get(delivery)?.(outcome);
    waiting.delete(delivery);
  };
  sender.on("sendable", () => opened.resolve());
  sender.on("sender_error", () => end());
  sender.on("sender_close", () => end());
  connection.on("disconnected", () => end());
  sender.on("accepted", settled("accepted"));
  sender.on("rejected", settled("refused"));
  sender.on("released", settled("refused"));
  try {
    await inTime(opened.promise);
  } catch (error) {
    connection.close();
    throw amqpFault(error, options.place, "queue");
  }
  return {
    isOver: () => isOver,
    close: () => connection.close(),
    async send({ key, data }: OutgoingRecord): Promise<SendOutcome> {
      if (isOver) return "refused";
      const outcome = Promise.withResolvers<SendOutcome>();
      try {
        const body = Buffer.from(data).toString();
        const properties = { durable: true, message_id: `ID:${randomUUID()}`, group_id: key };
        waiting.set(sender.send({ ...properties, creation_time: new Date(), body }), outcome.resolve);
      } catch {
        // Its buffer is full, or the link has ended: nothing was written.
        return "refused";
      }
      return await inTime(outcome.promise).catch((): SendOutcome => "unknown");
    },
  };
}
