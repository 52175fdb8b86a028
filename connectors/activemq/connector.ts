import type { QueueMapping } from "../../src/model/mapping.ts";
import type { QueueConnector, SourceSettings } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { activemqEventRecords, activemqPipeRecords } from "./event-records.ts";
import { activemqParameters } from "./parameters.ts";
import { activemqSettings, BROKER_ENDPOINTS, KIND } from "./settings.ts";

/** Queues of ActiveMQ, of brokers of Amazon MQ or anybody's (brokers §3). */
export const activemqConnector: QueueConnector = {
  kind: KIND,
  offers: "queue",
  sources: [{ kind: "arn", service: "mq", resourcePrefix: "broker:" }],
  filterDataKey: FILTER_DATA_KEY,
  // The bounds of AWS's FIFO queues are not those of a broker's.
  isFifoQueue: () => false,
  endpointNames: [BROKER_ENDPOINTS],
  parameters: activemqParameters,
  eventRecords: activemqEventRecords,
  pipeRecords: activemqPipeRecords,
  async openQueue(mapping, settings) {
    const { place, options } = await clientOf(mapping, settings);
    const [{ createRheaClient }, { openActivemqSource }] = await Promise.all([
      import("./rhea-client.ts"),
      import("./source.ts"),
    ]);
    return await openActivemqSource(place, createRheaClient(options));
  },
  async openSender(mapping, settings) {
    const { place, options } = await clientOf(mapping, settings);
    const { openActivemqSender } = await import("./sender.ts");
    return await openActivemqSender(options, place.queue);
  },
};

/** Only processes that read a broker load its client. @throws ERR_MILLRACE_CONFIG when a secret cannot be read. */
async function clientOf(mapping: QueueMapping, settings: SourceSettings) {
  const place = activemqSettings(mapping, settings);
  const { readBrokerAccess } = await import("../../src/brokers/broker-access.ts");
  const { endpoints, queue, logins } = place;
  const access = await readBrokerAccess(logins);
  const where = `queue "${queue}" at ${endpoints.join(", ")}`;
  return { place, options: { endpoints, access, place: where } };
}
