import { after } from "node:test";
import { createAmqplibApi } from "../../connectors/rabbitmq/amqplib-api.ts";
import { openRabbitSource } from "../../connectors/rabbitmq/source.ts";
import { describeQueueSourceContract } from "../contract/queue-source.ts";
import { RABBIT_CAN, rabbitFixture, rabbitSettingsOf } from "../contract/rabbit-harness.ts";
import { freshQueueName, startRabbitmq } from "./rabbitmq.ts";
import { rabbitAccess, rabbitQueue } from "./rabbitmq-queues.ts";

const server = await startRabbitmq();
after(() => server.close());

for (const kind of ["classic", "quorum"] as const) {
  describeQueueSourceContract(`RabbitMQ, ${kind} queues, on a real broker`, {
    can: RABBIT_CAN,
    createQueue: async (settings) => rabbitFixture(await rabbitQueue(server, kind), settings),
    openMissingQueue: () => {
      const name = freshQueueName();
      const options = { endpoints: [server.endpoint], virtualHost: "/", access: rabbitAccess(), place: name };
      return openRabbitSource(rabbitSettingsOf(name), createAmqplibApi(options));
    },
  });
}
