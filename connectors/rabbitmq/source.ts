import { headerOf } from "../../src/brokers/headers.ts";
import { openSentAhead, type SentAheadTimes } from "../../src/brokers/sent-ahead-source.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type { AmqpApi } from "./amqp-api.ts";
import { createBodyFactory, createRabbitEvents } from "./event.ts";
import { KIND, type RabbitSettings } from "./settings.ts";

/** What a record of a stream has, and a message of a queue has not. */
const STREAM_HEADER = "x-stream-offset";

/**
 * Looks whether the queue is there. @throws ERR_MILLRACE_SOURCE_NOT_FOUND and its siblings; the API is then closed.
 */
export function openRabbitSource(
  settings: RabbitSettings,
  api: AmqpApi,
  times: SentAheadTimes = {},
): Promise<QueueSource> {
  const { eventSourceArn, queue, order, batchSize, deliveriesMax, consumerTimeoutMs } = settings;
  // A function may run as long as half of it takes, and begin at the end of the other half.
  const holdMs = consumerTimeoutMs / 2;
  return openSentAhead(
    {
      ...settings,
      description: {
        kind: KIND,
        eventSourceArn,
        isFifo: order.by !== "none",
        visibilityMs: holdMs,
        receiveMessagesMax: batchSize,
        ...(deliveriesMax === undefined
          ? {}
          : { deadLetter: { queue: `the dead-letter exchange of ${queue}`, receivesMax: deliveriesMax } }),
      },
      order: { by: order.by === "header" ? "group" : order.by },
      isExclusive: order.by !== "none",
      ageMsMax: holdMs,
      takesBackOne: true,
      events: createRabbitEvents(settings),
      toBody: createBodyFactory(settings, order),
      refusalOf: ({ properties }) =>
        headerOf(properties.headers, STREAM_HEADER) === undefined ? undefined : streamRefusal(queue),
    },
    api,
    times,
  );
}

function streamRefusal(queue: string): string {
  return (
    `"${queue}" is a stream: its records are read by offset and never taken off, so a mapping of a queue cannot settle ` +
    "them. Name a classic or quorum queue."
  );
}
