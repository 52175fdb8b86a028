import { randomUUID } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ConfirmChannel } from "amqplib";
import { createAmqplibApi } from "../../connectors/rabbitmq/amqplib-api.ts";
import type { BrokerAccess } from "../../src/brokers/broker-access.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { RabbitQueue } from "../contract/rabbit-harness.ts";
import { freshQueueName, RABBITMQ_PASSWORD, RABBITMQ_USER, type RabbitServer } from "./rabbitmq.ts";

export function rabbitAccess(): BrokerAccess {
  return {
    login: { username: RABBITMQ_USER, password: new Secret(RABBITMQ_PASSWORD) },
    tls: { secureContext: createSecureContext(), minVersion: "TLSv1.2" },
  };
}

/** A durable queue that is not made yet. */
export async function rabbitQueue(
  server: RabbitServer,
  kind: "classic" | "quorum",
  more: Readonly<Record<string, unknown>> = {},
): Promise<RabbitQueue> {
  const name = freshQueueName();
  const use = async <T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T> => {
    const model = await server.connect();
    try {
      return await work(await model.createConfirmChannel());
    } finally {
      await model.close();
    }
  };
  return {
    name,
    api: () =>
      createAmqplibApi({
        endpoints: [server.endpoint],
        virtualHost: "/",
        access: rabbitAccess(),
        place: name,
      }),
    send: (messages) =>
      use(async (channel) => {
        for (const { body, headers } of messages) {
          const messageId = randomUUID();
          channel.sendToQueue(name, Buffer.from(body), { headers, messageId, persistent: true });
        }
        await channel.waitForConfirms();
      }),
    make: () =>
      use(async (channel) => {
        const options = { durable: true, arguments: { "x-queue-type": kind, ...more } };
        await channel.assertQueue(name, options);
      }),
    remove: () =>
      use(async (channel) => {
        await channel.deleteQueue(name);
      }),
  };
}
