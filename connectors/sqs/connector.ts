import {
  compareSqsPositions,
  decodeSqsElement,
  SQS_PIPE_RECORDS,
  splitSqsEvent,
} from "../../src/model/sqs-event-records.ts";
import type { QueueConnector } from "../../src/ports/connector.ts";
import { KIND } from "./described-queue.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { sqsParameters } from "./parameters.ts";
import { ARN_SERVICE, parseQueueArn } from "./queue-arn.ts";
import { openSqsSource } from "./source.ts";

const EVENT_RECORDS = {
  split: splitSqsEvent,
  decode: decodeSqsElement,
  comparePositions: compareSqsPositions,
};

/** SQS queues, standard and FIFO (queues §2). */
export const sqsConnector: QueueConnector = {
  kind: KIND,
  offers: "queue",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "" }],
  filterDataKey: FILTER_DATA_KEY,
  isFifoQueue: (eventSourceArn) => eventSourceArn.endsWith(".fifo"),
  endpointNames: [],
  parameters: sqsParameters,
  eventRecords: EVENT_RECORDS,
  pipeRecords: SQS_PIPE_RECORDS,
  async openBacklog(mapping) {
    const arn = parseQueueArn(mapping.eventSourceArn);
    const [{ createSdkApi }, { createSqsBacklog }] = await Promise.all([
      import("./sdk-api.ts"),
      import("./backlog.ts"),
    ]);
    return createSqsBacklog(arn, createSdkApi(arn));
  },
  async openDeadLetters(mapping) {
    const { openSqsDeadLetters } = await import("./dead-letters.ts");
    return await openSqsDeadLetters(parseQueueArn(mapping.eventSourceArn), EVENT_RECORDS);
  },
  async openQueue(mapping) {
    const arn = parseQueueArn(mapping.eventSourceArn);
    // Only processes that read a queue wait for the SDK to load.
    const { createSdkApi } = await import("./sdk-api.ts");
    return await openSqsSource(arn, mapping.batchingWindowMs > 0, createSdkApi(arn));
  },
  async openSender(mapping) {
    const { openQueueSender } = await import("./sender.ts");
    return await openQueueSender(parseQueueArn(mapping.eventSourceArn));
  },
};
