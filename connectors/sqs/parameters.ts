import { QUEUE_TEXTS } from "../../src/aws/queue-texts.ts";
import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";

/** A queue takes the parameters of all queues; reading it takes these permissions. */
export const sqsParameters: ConnectorParameters = {
  title: "SQS",
  fields: {},
  templateEvents: { SQS: { moved: { Queue: ["eventSourceArn"] } } },
  texts: QUEUE_TEXTS,
  actions: [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
  ],
};
