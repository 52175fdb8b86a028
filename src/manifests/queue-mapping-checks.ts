import {
  MAXIMUM_POLLERS_DEFAULT,
  MINIMUM_POLLERS_DEFAULT,
  PLAIN_QUEUE_BATCH_SIZE_MAX,
  QUEUE_POLLERS_MIN,
} from "../model/limits.ts";
import type { QueueConnector } from "../ports/connector.ts";
import { awsConstraint } from "./issue-texts.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { checkPollerOrder } from "./poller-checks.ts";
import { STREAM_PARAMETERS, unsupportedParameter } from "./unsupported-parameters.ts";

/** Rules between the fields of a queue's mapping, with AWS's texts where it has them (queues §1.2, §2.1, §2.4). */
export function checkQueueMapping(document: ManifestDocument, connector: QueueConnector): void {
  for (const name of STREAM_PARAMETERS) {
    if (document.raw("spec", name) === undefined) continue;
    document.report(["spec", name], unsupportedParameter(name), remedyOf(name), "key");
  }
  const arn = document.raw("spec", "eventSourceArn");
  if (typeof arn === "string" && connector.isFifoQueue(arn)) checkFifoBatch(document);
  else checkBatch(document);
  checkPollers(document);
}

function remedyOf(name: (typeof STREAM_PARAMETERS)[number]): string {
  if (name === "destinationConfig") {
    return "Remove the field: the queue's own redrive policy says where messages go that fail too often";
  }
  return "Remove the field: it is for streams";
}

function checkBatch(document: ManifestDocument): void {
  const path = ["spec", "batchSize"];
  const batchSize = document.raw(...path);
  if (typeof batchSize !== "number" || batchSize <= PLAIN_QUEUE_BATCH_SIZE_MAX) return;
  const windowSeconds = document.raw("spec", "maximumBatchingWindowInSeconds") ?? 0;
  if (windowSeconds !== 0) return;
  const message =
    "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10";
  document.report(path, message, "Give maximumBatchingWindowInSeconds, or a batchSize of at most 10");
}

function checkFifoBatch(document: ManifestDocument): void {
  const sizePath = ["spec", "batchSize"];
  const batchSize = document.raw(...sizePath);
  if (typeof batchSize === "number" && batchSize > PLAIN_QUEUE_BATCH_SIZE_MAX) {
    const constraint = `Member must have value less than or equal to ${PLAIN_QUEUE_BATCH_SIZE_MAX}`;
    const remedy = `Give at most ${PLAIN_QUEUE_BATCH_SIZE_MAX}: the queue is of the FIFO type`;
    document.report(sizePath, awsConstraint(sizePath, batchSize, constraint), remedy);
  }
  const windowPath = ["spec", "maximumBatchingWindowInSeconds"];
  const windowSeconds = document.raw(...windowPath);
  if (typeof windowSeconds !== "number" || windowSeconds <= 0) return;
  const message = unsupportedParameter("maximumBatchingWindowInSeconds");
  document.report(windowPath, message, "Remove the field: the queue is of the FIFO type", "key");
}

function checkPollers(document: ManifestDocument): void {
  const path = ["spec", "provisionedPollerConfig"];
  const minimum = document.raw(...path, "minimumPollers");
  const maximum = document.raw(...path, "maximumPollers");
  if (minimum === undefined && maximum === undefined) return;
  if (document.raw("spec", "scalingConfig", "maximumConcurrency") !== undefined) {
    const message = "ScalingConfig cannot be used together with ProvisionedPollerConfig";
    document.report(path, message, "Remove one of the two", "key");
  }
  for (const name of ["minimumPollers", "maximumPollers"]) checkPollersMin(document, [...path, name]);
  checkPollerOrder(document, { minimum: MINIMUM_POLLERS_DEFAULT, maximum: MAXIMUM_POLLERS_DEFAULT });
}

function checkPollersMin(document: ManifestDocument, path: readonly PropertyKey[]): void {
  const pollers = document.raw(...path);
  if (pollers !== QUEUE_POLLERS_MIN - 1) return;
  const constraint = `Member must have value greater than or equal to ${QUEUE_POLLERS_MIN}`;
  document.report(path, awsConstraint(path, pollers, constraint), `Give at least ${QUEUE_POLLERS_MIN}`);
}
