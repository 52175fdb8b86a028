import { setTimeout as sleep } from "node:timers/promises";
import type { AmqpDelivery } from "../../connectors/activemq/amqp-message.ts";
import type { ActivemqSettings } from "../../connectors/activemq/settings.ts";
import { openActivemqSource } from "../../connectors/activemq/source.ts";
import type { BrokerClient } from "../../src/brokers/broker-client.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type {
  QueueCapabilities,
  QueueFixture,
  QueueSettings,
  SampleMessage,
} from "./queue-source-harness.ts";

/** What the twin and the real broker have in common as `QueueHarness` has it. */
export const ACTIVEMQ_CAN: QueueCapabilities = {
  fifo: true,
  // Messages without a group have no order, in any queue.
  alwaysFifo: true,
  tellLostAcknowledgements: true,
  change: false,
  // A queue that is read for the first time is made: there is none that is missing.
  remake: false,
  missing: false,
  damage: true,
  event: { dataKey: "data", listsAreJson: true, namesMessages: false },
};

/** Messages of some broker, real or not. */
export interface ActivemqQueue {
  readonly name: string;
  client(): BrokerClient<AmqpDelivery>;
  send(messages: readonly SampleMessage[]): Promise<void>;
  /** A message that is neither text nor bytes. */
  sendMap(): Promise<void>;
}

export function activemqSettingsOf(queue: string, more: Partial<ActivemqSettings> = {}): ActivemqSettings {
  return {
    eventSourceArn: "arn:aws:mq:eu-west-1:123456789012:broker:orders:b-1",
    endpoints: ["amqp://127.0.0.1:5672"],
    queue,
    logins: [],
    deliveriesMax: 7,
    batchSize: 100,
    batchesMax: 4,
    ...more,
  };
}

export async function activemqFixture(
  queue: ActivemqQueue,
  { visibilityMs }: QueueSettings,
): Promise<QueueFixture> {
  const sources: QueueSource[] = [];
  return {
    async openSource() {
      const source = await openActivemqSource(activemqSettingsOf(queue.name), queue.client(), {
        lingerMs: 5_000,
        restMs: 200,
        holdMs: visibilityMs,
      });
      sources.push(source);
      return source;
    },
    send: (messages) => queue.send(messages),
    pause: (ms) => sleep(ms),
    bodiesOf: (event) => messagesOf(event).map(({ data }) => Buffer.from(data, "base64").toString()),
    sendDamaged: () => queue.sendMap(),
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

export interface EventMessage {
  readonly messageID: string;
  readonly messageType: string;
  readonly redelivered: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

export function messagesOf(event: unknown): readonly EventMessage[] {
  return (event as { readonly messages: readonly EventMessage[] }).messages;
}
