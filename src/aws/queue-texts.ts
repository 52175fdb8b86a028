import type { FaultTexts } from "../ports/connector-parameters.ts";

/** What AWS says of mappings of SQS queues (queues §1.2), shared by connectors of queues that stand in for them. */
export const QUEUE_TEXTS: FaultTexts = {
  exists: ({ facts = {} }) => ({
    message: `An event source mapping with SQS arn (" ${facts["arn"]} ") and function (" ${facts["functionName"]} ") already exists. Please update or delete the existing mapping with UUID ${facts["uuid"]}`,
    remedy: "Remove one of the two mappings",
  }),
  sourceMissing: () => ({
    message:
      "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
    remedy: "Make the queue, or name another",
  }),
};
