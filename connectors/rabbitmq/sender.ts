import { randomUUID } from "node:crypto";
import { inTime } from "../../src/brokers/in-time.ts";
import type { OutgoingRecord, RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { type AmqplibOptions, connectAny } from "./amqplib-api.ts";
import { brokerFault } from "./broker-fault.ts";
import type { RabbitOrder } from "./settings.ts";

/** In one call: the broker confirms many at once. */
const MESSAGES_MAX = 200;
const BYTES_MAX = 4 * 1024 * 1024;
const CONCURRENCY = 8;
const PERSISTENT = 2;

/**
 * Publishes to the queue by its name, and waits until the broker has confirmed each message. @throws MillraceError when
 * the queue is not there.
 */
export async function openRabbitSender(
  options: AmqplibOptions,
  queue: string,
  order: RabbitOrder,
): Promise<RecordSender> {
  const open = async () => {
    const model = await connectAny(options);
    const channel = await model.createConfirmChannel();
    let isOver = false;
    /** Messages for which there is no queue any more: told before they are confirmed. */
    const returned = new Set<unknown>();
    channel.on("error", () => undefined);
    channel.on("return", (message) => returned.add(message.properties.messageId));
    channel.on("close", () => {
      isOver = true;
    });
    try {
      await inTime(channel.checkQueue(queue));
    } catch (error) {
      await model.close().catch(() => undefined);
      throw brokerFault(error, options.place);
    }
    return { model, channel, returned, isOver: () => isOver };
  };
  let link = await open();
  let opening: Promise<void> | undefined;
  const renew = async () => {
    if (!link.isOver()) return;
    opening ??= open()
      .then((next) => {
        link = next;
      })
      .finally(() => {
        opening = undefined;
      });
    await opening;
  };
  /** `unknown` when the broker did not confirm in time: it may be blocked, and stores the message later. */
  const sendOne = async ({ key, data }: OutgoingRecord): Promise<SendOutcome> => {
    const confirmed = Promise.withResolvers<SendOutcome>();
    const { channel, returned, isOver } = link;
    const messageId = randomUUID();
    const headers = order.by === "header" ? { [order.name]: key } : undefined;
    const properties = { deliveryMode: PERSISTENT, mandatory: true, messageId, headers };
    try {
      channel.sendToQueue(queue, Buffer.from(data), properties, (error: unknown) => {
        if (isOver()) confirmed.resolve("unknown");
        else confirmed.resolve(error !== null || returned.delete(messageId) ? "refused" : "accepted");
      });
    } catch {
      // The channel had ended: nothing was written.
      return "refused";
    }
    return await inTime(confirmed.promise).catch((): SendOutcome => "unknown");
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
      // Written one after the other: the channel keeps their order.
      return await Promise.all(records.map(sendOne));
    },
    async close() {
      await link.model.close().catch(() => undefined);
    },
  };
}
