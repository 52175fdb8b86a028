import { RECORD_AGE_SECONDS_MIN } from "../model/limits.ts";
import type { Connector, StreamConnector } from "../ports/connector.ts";
import type { ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import { parseDestination } from "./destination-address.ts";
import { checkPollerOrder } from "./poller-checks.ts";
import { epochMsOf } from "./timestamp.ts";

interface StreamChecking {
  readonly connectors: readonly Connector[];
  readonly destinations?: readonly DestinationKind[];
  readonly nowMs: number;
}

/** `connector`: `undefined` when the source is not known; most manifests are of streams, and their slips are named. */
export function checkStreamMapping(
  mapping: WrittenMapping,
  connector: StreamConnector | undefined,
  context: StreamChecking,
  report: ReportFault,
): void {
  const { refuses = [], takes = [], defaults = {} } = connector?.parameters ?? {};
  checkRecordAge(mapping, report);
  checkTimestamp(mapping, context.nowMs, defaults.startingPosition, report);
  checkDestination(mapping, connector, context, report);
  if (connector !== undefined) checkStartingPosition(mapping, connector, report);
  if (!refuses.includes("tumblingWindowInSeconds")) checkTumblingWindow(mapping, report);
  if (takes.includes("provisionedPollerConfig") && defaults.pollers !== undefined)
    checkPollerOrder(mapping, defaults.pollers, report);
}

function checkRecordAge(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["maximumRecordAgeInSeconds"];
  const age = mapping.raw(...path);
  if (typeof age !== "number" || age < 0 || age >= RECORD_AGE_SECONDS_MIN) return;
  report({ rule: "recordAge", path });
}

function checkTumblingWindow(mapping: WrittenMapping, report: ReportFault): void {
  const window = mapping.raw("tumblingWindowInSeconds");
  if (typeof window !== "number" || window <= 0) return;
  const lanes = mapping.raw("parallelizationFactor");
  if (typeof lanes === "number" && lanes > 1)
    report({ rule: "windowWithLanes", path: ["parallelizationFactor"] });
  const filters = mapping.raw("filterCriteria", "filters");
  if (Array.isArray(filters) && filters.length > 0)
    report({ rule: "windowWithFilters", path: ["filterCriteria"], part: "key" });
}

function checkTimestamp(
  mapping: WrittenMapping,
  nowMs: number,
  defaultPosition: string | undefined,
  report: ReportFault,
): void {
  const path = ["startingPositionTimestamp"];
  const position = mapping.raw("startingPosition") ?? defaultPosition;
  const timestamp = mapping.raw(...path);
  if (timestamp === undefined && position === "AT_TIMESTAMP")
    report({ rule: "timestampMissing", path: ["startingPosition"] });
  if (typeof timestamp !== "string" && typeof timestamp !== "number") return;
  if (typeof position === "string" && position !== "AT_TIMESTAMP")
    report({ rule: "timestampUnused", path, part: "key" });
  else if (epochMsOf(timestamp) > nowMs) report({ rule: "timestampInFuture", path });
}

function checkDestination(
  mapping: WrittenMapping,
  connector: StreamConnector | undefined,
  { connectors, destinations }: StreamChecking,
  report: ReportFault,
): void {
  const path = ["destinationConfig", "onFailure", "destination"];
  const text = mapping.raw(...path);
  if (typeof text !== "string" || text === "") return;
  const ofSources = connectors.flatMap(({ parameters }) => parameters.destination ?? []);
  const destination = parseDestination(text, mapping.folder, ofSources, destinations);
  const refuse = (problem: string, remedy: string) =>
    report({ rule: "destination", path, facts: { problem, remedy } });
  if (destination.kind === "fault") refuse(destination.message, destination.remedy);
  if (destination.kind !== "source" || connector === undefined) return;
  const { scheme } = destination;
  if (connector.parameters.destination?.scheme === scheme) return;
  refuse(
    ofSources.find((each) => each.scheme === scheme)?.foreign ?? "The destination belongs to another source",
    "Give file:PATH or an ARN",
  );
}

function checkStartingPosition(
  mapping: WrittenMapping,
  { startingPositions, parameters }: StreamConnector,
  report: ReportFault,
): void {
  const path = ["startingPosition"];
  const position = mapping.raw(...path);
  const remedy = `Give one of ${startingPositions.join(", ")}`;
  if (position === undefined && parameters.defaults?.startingPosition === undefined)
    report({ rule: "missingMember", path, facts: { remedy } });
  const isKnown = position === "TRIM_HORIZON" || position === "LATEST" || position === "AT_TIMESTAMP";
  if (!isKnown || startingPositions.includes(position)) return;
  report({ rule: "startingPosition", path, facts: { arn: String(mapping.raw("eventSourceArn")), remedy } });
}
