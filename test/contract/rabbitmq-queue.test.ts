import { randomUUID } from "node:crypto";
import { openRabbitSource } from "../../connectors/rabbitmq/source.ts";
import { describeQueueSourceContract } from "./queue-source.ts";
import { RABBIT_CAN, rabbitFixture, rabbitSettingsOf } from "./rabbit-harness.ts";
import { RabbitTwin } from "./rabbit-twin.ts";

for (const isQuorum of [false, true]) {
  const twin = new RabbitTwin();
  describeQueueSourceContract(`rabbitmq, the simulated ${isQuorum ? "quorum" : "classic"} queue`, {
    can: RABBIT_CAN,
    createQueue(settings) {
      const name = randomUUID();
      return rabbitFixture(
        {
          name,
          api: () => twin.api(),
          async send(messages) {
            for (const { body, headers } of messages) twin.queues.get(name)?.publish(body, { headers });
          },
          async make() {
            twin.declare(name, { isQuorum });
          },
          async remove() {
            twin.delete(name);
          },
        },
        settings,
      );
    },
    openMissingQueue: () => openRabbitSource(rabbitSettingsOf("missing"), twin.api()),
  });
}
