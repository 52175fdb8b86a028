import type { BrokerClient } from "../../src/brokers/broker-client.ts";
import { DeliveryCounts } from "../../src/brokers/delivery-counts.ts";
import { openSentAhead, type SentAheadTimes } from "../../src/brokers/sent-ahead-source.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type { AmqpDelivery } from "./amqp-message.ts";
import { createActivemqEvents, createBodyFactory } from "./event.ts";
import { type ActivemqSettings, KIND } from "./settings.ts";

/** As long as a function may run, and a minute to begin. */
const HOLD_MS = 900_000;

export interface ActivemqTimes extends SentAheadTimes {
  readonly holdMs?: number;
}

/**
 * In the order of message groups; messages without a group have none, as five consumers on AWS keep none. The broker
 * gives a group to one consumer, so several processes may read.
 * @throws ERR_MILLRACE_SOURCE_NOT_FOUND and its siblings; the client is then closed.
 */
export function openActivemqSource(
  settings: ActivemqSettings,
  client: BrokerClient<AmqpDelivery>,
  { holdMs = HOLD_MS, ...times }: ActivemqTimes = {},
): Promise<QueueSource> {
  const { eventSourceArn, batchSize, deliveriesMax } = settings;
  const counts = countsOf(settings);
  return openSentAhead(
    {
      ...settings,
      description: {
        kind: KIND,
        eventSourceArn,
        isFifo: true,
        visibilityMs: holdMs,
        receiveMessagesMax: batchSize,
        deadLetter: { queue: "the broker's queue of dead letters", receivesMax: deliveriesMax },
      },
      order: { by: "group" },
      isExclusive: false,
      // A broker waits for an acknowledgement as long as the connection lasts.
      ageMsMax: Number.POSITIVE_INFINITY,
      takesBackOne: false,
      counts,
      events: createActivemqEvents(settings),
      toBody: createBodyFactory(settings, (messageId) => counts.before(messageId)),
    },
    client,
    times,
  );
}

/** By the queue and its broker: a mapping that begins anew reads on with the counts of the one before. */
const COUNTS = new Map<string, DeliveryCounts>();
const QUEUES_MAX = 1_000;

function countsOf({ endpoints, queue }: ActivemqSettings): DeliveryCounts {
  const name = JSON.stringify([endpoints, queue]);
  const counts = COUNTS.get(name) ?? new DeliveryCounts();
  if (COUNTS.size < QUEUES_MAX) COUNTS.set(name, counts);
  return counts;
}
