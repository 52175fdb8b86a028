import {
  MAXIMUM_POLLERS_DEFAULT,
  MINIMUM_POLLERS_DEFAULT,
  PLAIN_QUEUE_BATCH_SIZE_MAX,
  QUEUE_POLLERS_MIN,
  TENANT_WEIGHTS_MAX,
} from "../model/limits.ts";
import type { QueueConnector } from "../ports/connector.ts";
import type { ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";
import { constraintFault, unsupportedFault } from "./fault-texts.ts";
import { checkPollerOrder } from "./poller-checks.ts";

/** Rules between the fields of a queue's mapping (queues §1.2, §2.1, §2.4). */
export function checkQueueMapping(
  mapping: WrittenMapping,
  connector: QueueConnector,
  report: ReportFault,
): void {
  const arn = mapping.raw("eventSourceArn");
  if (typeof arn === "string" && connector.isFifoQueue(arn)) checkFifoBatch(mapping, report);
  else checkBatch(mapping, connector, report);
  checkPollers(mapping, report);
  checkTenant(mapping, connector, report);
}

/** Fair lanes are for queues without order: one with order serves its groups in turn as it is. */
function checkTenant(mapping: WrittenMapping, connector: QueueConnector, report: ReportFault): void {
  const path = ["tenant"];
  if (mapping.raw(...path) === undefined) return;
  const arn = mapping.raw("eventSourceArn");
  if (typeof arn === "string" && connector.isFifoQueue(arn))
    report({ rule: "tenantOfOrder", path, part: "key" });
  const weights = mapping.raw("tenant", "weights");
  const named = typeof weights === "object" && weights !== null ? Object.keys(weights).length : 0;
  if (named <= TENANT_WEIGHTS_MAX) return;
  report({
    rule: "tenantWeights",
    path: ["tenant", "weights"],
    part: "key",
    facts: { named: String(named) },
  });
}

function checkBatch(
  mapping: WrittenMapping,
  { parameters: { defaults } }: QueueConnector,
  report: ReportFault,
): void {
  const path = ["batchSize"];
  const batchSize = mapping.raw(...path);
  if (typeof batchSize !== "number" || batchSize <= PLAIN_QUEUE_BATCH_SIZE_MAX) return;
  // Where AWS waits by default, it does not ask for a window with large batches either (brokers §1).
  if (defaults?.batchingWindowMs !== undefined) return;
  const windowSeconds = mapping.raw("maximumBatchingWindowInSeconds") ?? 0;
  if (windowSeconds === 0) report({ rule: "batchWithoutWindow", path });
}

function checkFifoBatch(mapping: WrittenMapping, report: ReportFault): void {
  const sizePath = ["batchSize"];
  const batchSize = mapping.raw(...sizePath);
  if (typeof batchSize === "number" && batchSize > PLAIN_QUEUE_BATCH_SIZE_MAX) {
    const constraint = `Member must have value less than or equal to ${PLAIN_QUEUE_BATCH_SIZE_MAX}`;
    const remedy = `Give at most ${PLAIN_QUEUE_BATCH_SIZE_MAX}: the queue is of the FIFO type`;
    report(constraintFault(sizePath, batchSize, constraint, remedy));
  }
  const windowSeconds = mapping.raw("maximumBatchingWindowInSeconds");
  if (typeof windowSeconds !== "number" || windowSeconds <= 0) return;
  report(
    unsupportedFault("maximumBatchingWindowInSeconds", "Remove the field: the queue is of the FIFO type"),
  );
}

function checkPollers(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["provisionedPollerConfig"];
  const minimum = mapping.raw(...path, "minimumPollers");
  const maximum = mapping.raw(...path, "maximumPollers");
  if (minimum === undefined && maximum === undefined) return;
  if (mapping.raw("scalingConfig", "maximumConcurrency") !== undefined)
    report({ rule: "pollersWithScaling", path, part: "key" });
  for (const name of ["minimumPollers", "maximumPollers"]) checkPollersMin(mapping, [...path, name], report);
  checkPollerOrder(mapping, { minimum: MINIMUM_POLLERS_DEFAULT, maximum: MAXIMUM_POLLERS_DEFAULT }, report);
}

function checkPollersMin(mapping: WrittenMapping, path: readonly PropertyKey[], report: ReportFault): void {
  const pollers = mapping.raw(...path);
  if (pollers !== QUEUE_POLLERS_MIN - 1) return;
  const constraint = `Member must have value greater than or equal to ${QUEUE_POLLERS_MIN}`;
  report(constraintFault(path, pollers, constraint, `Give at least ${QUEUE_POLLERS_MIN}`));
}
