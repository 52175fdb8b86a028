import { randomUUID } from "node:crypto";
import { openActivemqSource } from "../../connectors/activemq/source.ts";
import { ACTIVEMQ_CAN, activemqFixture, activemqSettingsOf } from "./activemq-harness.ts";
import { ActivemqTwin } from "./activemq-twin.ts";
import { describeQueueSourceContract } from "./queue-source.ts";

const twin = new ActivemqTwin();

describeQueueSourceContract("activemq, the simulated broker", {
  can: ACTIVEMQ_CAN,
  createQueue(settings) {
    const name = randomUUID();
    const queue = twin.queue(name);
    return activemqFixture(
      {
        name,
        client: () => twin.client(),
        async send(messages) {
          for (const { body, groupId } of messages)
            queue.send(groupId === undefined ? { body } : { body, group_id: groupId });
        },
        async sendMap() {
          queue.send({ body: { a: 1 } });
        },
      },
      settings,
    );
  },
  openMissingQueue: () => openActivemqSource(activemqSettingsOf("new"), twin.client()),
});
