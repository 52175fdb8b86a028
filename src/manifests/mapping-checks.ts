import { compileFilterCriteria, ESM_INVALID_PATTERN } from "../engine/filter/filter.ts";
import { hasErrorCode } from "../model/errors.ts";
import { FILTER_PATTERN_CHARS_MAX } from "../model/limits.ts";
import type { Place } from "../model/place.ts";
import type { Connector } from "../ports/connector.ts";
import type { ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { FunctionTargetKind } from "../ports/function-target-kind.ts";
import { checkFields } from "./field-checks.ts";
import { parseFunctionName } from "./function-name.ts";
import { checkSource } from "./mapping-source.ts";
import { nearestName } from "./nearest-name.ts";
import { checkPipe } from "./pipe-checks.ts";
import { checkQueueMapping } from "./queue-mapping-checks.ts";
import { checkStreamMapping } from "./stream-mapping-checks.ts";
import type { ReadTemplate } from "./template-reader.ts";

export interface MappingContext {
  readonly connectors: readonly Connector[];
  /** Kinds of failure destinations that the operator brings. */
  readonly destinations?: readonly DestinationKind[];
  /** Kinds of function targets that the operator brings. */
  readonly targets?: readonly FunctionTargetKind[];
  readonly nowMs: number;
  /** Where the functions are that mappings name. */
  readonly place: Place;
  /** Reads files that are templates of another tool. Absent: there are manifests alone. */
  readonly readTemplate?: ReadTemplate;
}

/**
 * Rules between the fields of a mapping, and those of its connector. They look at what is written rather than at the
 * validated manifest, so that they speak beside shape errors of other fields. Returns the connector, if there is one.
 */
export function checkMapping(
  mapping: WrittenMapping,
  context: MappingContext,
  report: ReportFault,
): Connector | undefined {
  const { connectors } = context;
  checkFunctionName(mapping, report);
  const connector = checkSource(mapping, connectors, report);
  if (connector !== undefined) checkFields(mapping, connector, connectors, report);
  if (connector?.offers === "queue") checkQueueMapping(mapping, connector, report);
  else checkStreamMapping(mapping, connector, context, report);
  checkPipe(mapping, connector, report);
  if (connector === undefined) return undefined;
  connector.parameters.check?.(mapping, report);
  checkEndpoints(mapping, connector, report);
  checkFilters(mapping, connector, report);
  return connector;
}

function checkFunctionName(mapping: WrittenMapping, report: ReportFault): void {
  const text = mapping.raw("functionName");
  if (typeof text !== "string" || text === "" || parseFunctionName(text) !== undefined) return;
  report({ rule: "functionName", path: ["functionName"] });
}

function checkEndpoints(
  mapping: WrittenMapping,
  { kind, endpointNames }: Connector,
  report: ReportFault,
): void {
  const given = mapping.raw("endpoints");
  const names = typeof given === "object" && given !== null ? Object.keys(given) : [];
  for (const name of names) {
    if (endpointNames.includes(name)) continue;
    const facts = { kind, name, nearest: nearestName(name, endpointNames) };
    report({ rule: "unknownEndpoint", path: ["endpoints", name], part: "key", facts });
  }
  // A self-managed source has its endpoints elsewhere.
  if (mapping.raw("eventSourceArn") === undefined) return;
  for (const name of endpointNames) {
    if (names.includes(name)) continue;
    const path = given === undefined ? [] : ["endpoints"];
    report({ rule: "missingEndpoint", path, part: "key", facts: { kind, name } });
  }
}

function checkFilters(mapping: WrittenMapping, connector: Connector, report: ReportFault): void {
  const filters = mapping.raw("filterCriteria", "filters");
  if (!Array.isArray(filters)) return;
  for (const index of filters.keys()) {
    const path = ["filterCriteria", "filters", index, "pattern"];
    const pattern = mapping.raw(...path);
    if (typeof pattern !== "string" || pattern.length > FILTER_PATTERN_CHARS_MAX) continue;
    try {
      const dataPattern =
        connector.offers === "stream" ? (connector.parameters.filterDataPattern ?? "object") : "any";
      compileFilterCriteria([pattern], connector.filterDataKey, { dataPattern });
    } catch (error) {
      if (!hasErrorCode(error, "ERR_MILLRACE_FILTER_PATTERN")) throw error;
      const facts = { problem: ESM_INVALID_PATTERN, reason: error.message };
      report({ rule: "filterPattern", path, facts });
    }
  }
}
