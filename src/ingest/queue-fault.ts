import { ProducerFault } from "./producer-fault.ts";

/** Errors of SQS, in its words. Clients of the older protocol know some by other names. */
const QUERY_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  QueueNameExists: "QueueAlreadyExists",
  EmptyBatchRequest: "AWS.SimpleQueueService.EmptyBatchRequest",
  TooManyEntriesInBatchRequest: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
  BatchEntryIdsNotDistinct: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
  BatchRequestTooLong: "AWS.SimpleQueueService.BatchRequestTooLong",
  InvalidBatchEntryId: "AWS.SimpleQueueService.InvalidBatchEntryId",
  UnsupportedOperation: "AWS.SimpleQueueService.UnsupportedOperation",
};

export function queueFault(type: string, message: string): ProducerFault {
  const queryCode = QUERY_CODES[type];
  return new ProducerFault(type, message, queryCode === undefined ? {} : { queryCode });
}

export function noSuchQueue(): ProducerFault {
  return queueFault("QueueDoesNotExist", "The specified queue does not exist.");
}

export function missingParameter(name: string): ProducerFault {
  return queueFault("MissingParameter", `The request must contain the parameter ${name}.`);
}

export function invalidValue(value: string | number, parameter: string, reason: string): ProducerFault {
  const shown = String(value).slice(0, 200);
  const message = `Value ${shown} for parameter ${parameter} is invalid. Reason: ${reason}`;
  return queueFault("InvalidParameterValue", message);
}
