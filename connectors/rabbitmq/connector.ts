import type { QueueMapping } from "../../src/model/mapping.ts";
import type { QueueConnector, SourceSettings } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { rabbitEventRecords, rabbitPipeRecords } from "./event-records.ts";
import { rabbitParameters } from "./parameters.ts";
import { BROKER_ENDPOINTS, KIND, type RabbitSettings, rabbitSettings } from "./settings.ts";

/** Classic and quorum queues of RabbitMQ, of brokers of Amazon MQ or anybody's (brokers §2). */
export const rabbitConnector: QueueConnector = {
  kind: KIND,
  offers: "queue",
  sources: [{ kind: "arn", service: "mq", resourcePrefix: "broker:" }],
  filterDataKey: FILTER_DATA_KEY,
  // The bounds of AWS's FIFO queues are not those of a broker's.
  isFifoQueue: () => false,
  endpointNames: [BROKER_ENDPOINTS],
  parameters: rabbitParameters,
  eventRecords: rabbitEventRecords,
  pipeRecords: rabbitPipeRecords,
  async openQueue(mapping, settings) {
    const { settings: place, api } = await clientOf(mapping, settings);
    const { openRabbitSource } = await import("./source.ts");
    return await openRabbitSource(place, api);
  },
  async openBacklog(mapping, settings) {
    const { settings: place, api } = await clientOf(mapping, settings);
    const { RabbitBacklog } = await import("./backlog.ts");
    return new RabbitBacklog(place.queue, api);
  },
  async openSender(mapping, settings) {
    const { options, settings: place } = await clientOf(mapping, settings);
    const { openRabbitSender } = await import("./sender.ts");
    return await openRabbitSender(options, place.queue, place.order);
  },
};

/** Only processes that read a broker load its client. @throws ERR_MILLRACE_CONFIG when a secret cannot be read. */
async function clientOf(mapping: QueueMapping, settings: SourceSettings) {
  const place = rabbitSettings(mapping, settings);
  const [{ createAmqplibApi }, { readBrokerAccess }] = await Promise.all([
    import("./amqplib-api.ts"),
    import("../../src/brokers/broker-access.ts"),
  ]);
  const { endpoints, virtualHost, logins } = place;
  const access = await readBrokerAccess(logins);
  const options = { endpoints, virtualHost, access, place: placeOf(place) };
  return { settings: place, options, api: createAmqplibApi(options) };
}

/** For messages: the queue and where it is. */
function placeOf({ queue, virtualHost, endpoints }: RabbitSettings): string {
  return `queue "${queue}" of virtual host "${virtualHost}" at ${endpoints.join(", ")}`;
}
