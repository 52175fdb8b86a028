import { QUEUE_TEXTS } from "../../src/aws/queue-texts.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";

/** Streams of a file take the parameters of all streams. */
export const localParameters: ConnectorParameters = { title: "local streams", fields: {} };

/** Queues of a file take the parameters of all queues, and answer with AWS's texts for them. */
export const localQueueParameters: ConnectorParameters = {
  title: "local queues",
  fields: {},
  texts: QUEUE_TEXTS,
};
