import { after } from "node:test";
import { openActivemqSource } from "../../connectors/activemq/source.ts";
import { ACTIVEMQ_CAN, activemqFixture, activemqSettingsOf } from "../contract/activemq-harness.ts";
import { describeQueueSourceContract } from "../contract/queue-source.ts";
import { startActivemq } from "./activemq.ts";
import { activemqQueue } from "./activemq-queues.ts";

const server = await startActivemq();
after(() => server.close());

describeQueueSourceContract("ActiveMQ Classic, on a real broker", {
  can: ACTIVEMQ_CAN,
  createQueue: (settings) => activemqFixture(activemqQueue(server), settings),
  openMissingQueue: () => {
    const queue = activemqQueue(server);
    return openActivemqSource(activemqSettingsOf(queue.name), queue.client());
  },
});
