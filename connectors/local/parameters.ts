import { QUEUE_TEXTS } from "../../src/aws/queue-texts.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";

/** Streams of a file take the parameters of all streams. */
export const localParameters: ConnectorParameters = {
  title: "local streams",
  fields: {},
  templateSources: { "AWS::Kinesis::Stream": "stream/" },
};

/** Queues of a file take the parameters of all queues, and answer with AWS's texts for them. */
export const localQueueParameters: ConnectorParameters = {
  title: "local queues",
  fields: {},
  templateSources: { "AWS::SQS::Queue": "queue/" },
  texts: QUEUE_TEXTS,
};
