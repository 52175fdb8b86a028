import { sourceErrorOf } from "../../src/aws/source-error.ts";
import type { MillraceError } from "../../src/model/errors.ts";
import type { QueueArn } from "./queue-arn.ts";

/** AWS's text for a mapping of a queue that is not there (queues §1.2): people search for it. */
const MISSING_TEXT =
  "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. " +
  "SQS Error Message: The specified queue does not exist.";

/** The SDK's error in the words of the port. */
export function sourceError(error: unknown, action: string, { arn }: QueueArn): MillraceError {
  return sourceErrorOf(error, {
    action: `sqs:${action}`,
    resource: arn,
    endpointVariable: "AWS_ENDPOINT_URL_SQS",
    missingText: `${MISSING_TEXT} The queue is ${arn}.`,
  });
}
