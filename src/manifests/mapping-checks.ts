import { compileFilterCriteria, ESM_INVALID_PATTERN } from "../engine/filter/filter.ts";
import { hasErrorCode } from "../model/errors.ts";
import { FILTER_PATTERN_CHARS_MAX, RECORD_AGE_SECONDS_MIN } from "../model/limits.ts";
import type { Place } from "../model/place.ts";
import type { Connector, StreamConnector, TopicConnector } from "../ports/connector.ts";
import { parseDestination } from "./destination-address.ts";
import { parseFunctionName } from "./function-name.ts";
import { awsConstraint } from "./issue-texts.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { checkSource } from "./mapping-source.ts";
import { nearestName } from "./nearest-name.ts";
import { checkQueueMapping } from "./queue-mapping-checks.ts";
import { epochMsOf } from "./timestamp.ts";
import { checkTopicMapping, refuseTopicParameters } from "./topic-mapping-checks.ts";
import { QUEUE_PARAMETERS, unsupportedParameter } from "./unsupported-parameters.ts";

export interface MappingContext {
  readonly connectors: readonly Connector[];
  readonly nowMs: number;
  /** Where the functions are that mappings name. */
  readonly place: Place;
}

/**
 * Rules between the fields of a mapping, with AWS's texts (streams §1.6). They look at what is written rather than at
 * the validated manifest, so that they speak beside shape errors of other fields.
 */
export function checkMapping(document: ManifestDocument, context: MappingContext): void {
  checkFunctionName(document);
  const connector = checkSource(document, context.connectors);
  if (connector?.offers === "queue") checkQueueMapping(document, connector);
  else checkStreamMapping(document, connector, context.nowMs);
  if (connector === undefined) return;
  if (connector.offers !== "topic") refuseTopicParameters(document);
  checkEndpoints(document, connector);
  checkFilters(document, connector);
}

/** `connector`: `undefined` when the source is not known; most manifests are of streams, and their slips are named. */
function checkStreamMapping(
  document: ManifestDocument,
  connector: StreamConnector | TopicConnector | undefined,
  nowMs: number,
): void {
  checkRecordAge(document);
  checkTimestamp(document, nowMs, connector?.offers === "topic");
  checkDestination(document, connector);
  if (connector !== undefined) checkStartingPosition(document, connector);
  if (connector?.offers === "topic") {
    checkTopicMapping(document);
    return;
  }
  checkTumblingWindow(document);
  if (connector === undefined) return;
  for (const name of QUEUE_PARAMETERS) {
    if (document.raw("spec", name) === undefined) continue;
    document.report(["spec", name], unsupportedParameter(name), "Remove the field: it is for queues", "key");
  }
}

function checkRecordAge(document: ManifestDocument): void {
  const path = ["spec", "maximumRecordAgeInSeconds"];
  const age = document.raw(...path);
  if (typeof age !== "number" || age < 0 || age >= RECORD_AGE_SECONDS_MIN) return;
  const message =
    "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)";
  document.report(path, message, "Give -1, or at least 60");
}

function checkTumblingWindow(document: ManifestDocument): void {
  const window = document.raw("spec", "tumblingWindowInSeconds");
  if (typeof window !== "number" || window <= 0) return;
  const lanes = document.raw("spec", "parallelizationFactor");
  if (typeof lanes === "number" && lanes > 1) {
    document.report(
      ["spec", "parallelizationFactor"],
      "Parallelization factor must be equal to 1 when tumbling window period is configured",
      "Remove parallelizationFactor or tumblingWindowInSeconds",
    );
  }
  const filters = document.raw("spec", "filterCriteria", "filters");
  if (Array.isArray(filters) && filters.length > 0) {
    document.report(
      ["spec", "filterCriteria"],
      "Filter criteria cannot be used when tumbling window period is configured",
      "Remove filterCriteria or tumblingWindowInSeconds",
      "key",
    );
  }
}

function checkTimestamp(document: ManifestDocument, nowMs: number, isTopic: boolean): void {
  const path = ["spec", "startingPositionTimestamp"];
  const position = document.raw("spec", "startingPosition") ?? (isTopic ? "TRIM_HORIZON" : undefined);
  const timestamp = document.raw(...path);
  if (timestamp === undefined && position === "AT_TIMESTAMP") {
    const message = "StartingPosition AT_TIMESTAMP needs a startingPositionTimestamp, which is missing";
    document.report(["spec", "startingPosition"], message, "Give startingPositionTimestamp");
  }
  if (typeof timestamp !== "string" && typeof timestamp !== "number") return;
  if (typeof position === "string" && position !== "AT_TIMESTAMP") {
    const message = "Timestamp only valid with StartingPosition AT_TIMESTAMP";
    document.report(path, message, "Remove the field, or set startingPosition: AT_TIMESTAMP", "key");
  } else if (epochMsOf(timestamp) > nowMs) {
    document.report(path, "The timestamp is in the future", "Give a time in the past");
  }
}

function checkDestination(document: ManifestDocument, connector: Connector | undefined): void {
  const path = ["spec", "destinationConfig", "onFailure", "destination"];
  const text = document.raw(...path);
  if (typeof text !== "string" || text === "") return;
  const destination = parseDestination(text, document.folder);
  if (destination.kind === "fault") document.report(path, destination.message, destination.remedy);
  if (destination.kind !== "kafka" || connector === undefined || connector.offers === "topic") return;
  const message =
    "A kafka:// destination is a topic of the cluster that a mapping reads, and this one reads none";
  document.report(path, message, "Give file:PATH or an ARN");
}

function checkFunctionName(document: ManifestDocument): void {
  const path = ["spec", "functionName"];
  const text = document.raw(...path);
  if (typeof text !== "string" || text === "" || parseFunctionName(text) !== undefined) return;
  const remedy =
    "Give a name of at most 64 letters, digits, - and _, with :QUALIFIER behind it if wanted, or an ARN";
  document.report(path, "The text is not the name of a function", remedy);
}

function checkStartingPosition(
  document: ManifestDocument,
  connector: StreamConnector | TopicConnector,
): void {
  const path = ["spec", "startingPosition"];
  const position = document.raw(...path);
  if (position === undefined && connector.offers !== "topic") {
    const message = awsConstraint(path, null, "Member must not be null.");
    document.report(path, message, `Give one of ${connector.startingPositions.join(", ")}`);
  }
  const isKnown = position === "TRIM_HORIZON" || position === "LATEST" || position === "AT_TIMESTAMP";
  if (!isKnown || connector.startingPositions.includes(position)) return;
  const message = `Unsupported starting position for arn type: ${String(document.raw("spec", "eventSourceArn"))}`;
  document.report(path, message, `Give one of ${connector.startingPositions.join(", ")}`);
}

function checkEndpoints(document: ManifestDocument, connector: Connector): void {
  const given = document.raw("spec", "endpoints");
  const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
  for (const name of names) {
    if (connector.endpointNames.includes(name)) continue;
    const nearest = nearestName(name, connector.endpointNames);
    const suggestion = nearest === undefined ? "Remove it" : `Did you mean ${nearest}?`;
    const message = `The source ${connector.kind} has no endpoint ${JSON.stringify(name.slice(0, 80))}`;
    document.report(["spec", "endpoints", name], message, suggestion, "key");
  }
  // A self-managed source has its endpoints elsewhere.
  if (document.raw("spec", "eventSourceArn") === undefined) return;
  for (const name of connector.endpointNames) {
    if (names.includes(name)) continue;
    const message = `The source ${connector.kind} needs the endpoint ${name}, which is missing`;
    const path = given === undefined ? ["spec"] : ["spec", "endpoints"];
    document.report(path, message, `Give endpoints: { ${name}: [ … ] }`, "key");
  }
}

function checkFilters(document: ManifestDocument, connector: Connector): void {
  const filters = document.raw("spec", "filterCriteria", "filters");
  if (!Array.isArray(filters)) return;
  for (const index of filters.keys()) {
    const path = ["spec", "filterCriteria", "filters", index, "pattern"];
    const pattern = document.raw(...path);
    if (typeof pattern !== "string" || pattern.length > FILTER_PATTERN_CHARS_MAX) continue;
    try {
      const dataPattern = connector.offers === "stream" ? "object" : "any";
      compileFilterCriteria([pattern], connector.filterDataKey, { dataPattern });
    } catch (error) {
      if (!hasErrorCode(error, "ERR_MILLRACE_FILTER_PATTERN")) throw error;
      document.report(path, ESM_INVALID_PATTERN, error.message);
    }
  }
}
