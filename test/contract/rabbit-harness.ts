import { setTimeout as sleep } from "node:timers/promises";
import type { AmqpApi } from "../../connectors/rabbitmq/amqp-api.ts";
import type { RabbitSettings } from "../../connectors/rabbitmq/settings.ts";
import { openRabbitSource } from "../../connectors/rabbitmq/source.ts";
import type { QueueSource } from "../../src/ports/queue-source.ts";
import type {
  QueueCapabilities,
  QueueFixture,
  QueueSettings,
  SampleMessage,
} from "./queue-source-harness.ts";

/** What the twin and the real broker have in common as `QueueHarness` has it. */
export const RABBIT_CAN: QueueCapabilities = {
  fifo: true,
  tellLostAcknowledgements: true,
  // How long messages wait for their acknowledgement is the broker's setting.
  change: false,
  remake: true,
  damage: false,
  event: { dataKey: "data", listsAreJson: true, namesMessages: false },
};

export const BROKER_ARN = "arn:aws:mq:eu-west-1:123456789012:broker:orders:b-1";
const GROUP_HEADER = "group";

/** Messages of some broker, real or not. */
export interface RabbitQueue {
  readonly name: string;
  api(): AmqpApi;
  send(
    messages: readonly { readonly body: string; readonly headers: Readonly<Record<string, string>> }[],
  ): Promise<void>;
  make(): Promise<void>;
  remove(): Promise<void>;
}

export function rabbitSettingsOf(queue: string, more: Partial<RabbitSettings> = {}): RabbitSettings {
  return {
    eventSourceArn: BROKER_ARN,
    endpoints: ["amqp://127.0.0.1:5672"],
    queue,
    virtualHost: "/",
    logins: [],
    order: { by: "queue" },
    deliveriesMax: undefined,
    consumerTimeoutMs: 1_800_000,
    batchSize: 100,
    batchesMax: 1,
    ...more,
  };
}

/** A queue with order keeps it by a header; a message's hold is half of what the broker waits. */
export function contractSettings(queue: string, { isFifo, visibilityMs }: QueueSettings): RabbitSettings {
  return rabbitSettingsOf(queue, {
    order: isFifo ? { by: "header", name: GROUP_HEADER } : { by: "none" },
    consumerTimeoutMs: visibilityMs * 2,
    batchesMax: 4,
  });
}

export async function rabbitFixture(queue: RabbitQueue, settings: QueueSettings): Promise<QueueFixture> {
  await queue.make();
  const sources: QueueSource[] = [];
  return {
    async openSource() {
      const source = await openRabbitSource(contractSettings(queue.name, settings), queue.api(), {
        lingerMs: 5_000,
      });
      sources.push(source);
      return source;
    },
    send: (messages) => queue.send(messages.map(outgoing)),
    pause: (ms) => sleep(ms),
    bodiesOf: (event) => messagesOf(event).map(({ data }) => Buffer.from(data, "base64").toString()),
    remove: () => queue.remove(),
    remake: () => queue.make(),
    async [Symbol.asyncDispose]() {
      await Promise.all(sources.map((source) => source.close()));
      await queue.remove();
    },
  };
}

export interface EventMessage {
  readonly basicProperties: Readonly<Record<string, unknown>>;
  readonly redelivered: boolean;
  readonly data: string;
}

export function messagesOf(event: unknown): readonly EventMessage[] {
  const { rmqMessagesByQueue } = event as {
    readonly rmqMessagesByQueue: Readonly<Record<string, readonly EventMessage[]>>;
  };
  return Object.values(rmqMessagesByQueue).flat();
}

function outgoing({ body, groupId }: SampleMessage) {
  return { body, headers: groupId === undefined ? {} : { [GROUP_HEADER]: groupId } };
}
