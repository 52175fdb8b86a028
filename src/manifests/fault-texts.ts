import { PLAIN_QUEUE_BATCH_SIZE_MAX, TENANT_WEIGHTS_MAX } from "../model/limits.ts";
import type { FaultFacts, FaultText, FaultTexts, SpecFault } from "../ports/connector-parameters.ts";
import { awsConstraint } from "./issue-texts.ts";
import { unsupportedParameter } from "./unsupported-parameters.ts";

/** What is said of a fault: by the rule that is broken, one of the connector's own or one of all mappings. */
export function faultText(fault: SpecFault, ownTexts: FaultTexts = {}): FaultText {
  const text = ownTexts[fault.rule] ?? COMMON_TEXTS[fault.rule];
  return text === undefined ? { message: fault.rule, remedy: "Correct the field" } : text(fault);
}

/** `1 validation error detected: …`; facts: the value, the constraint, and the remedy. */
export const CONSTRAINT = "constraint";
/** AWS's word for a parameter that mappings of this source have not; fact: the remedy. */
export const UNSUPPORTED = "unsupportedParameter";
/** No connector reads what the mapping names. */
export const UNRECOGNIZED = "unrecognizedSource";

const text = ({ facts = {} }: SpecFault, name: string): string => String(facts[name] ?? "");

const fixed =
  (message: string, remedy: string): ((fault: SpecFault) => FaultText) =>
  () => ({ message, remedy });

/** AWS's texts where it has some (streams §1.6, queues §1.2). */
const COMMON_TEXTS: FaultTexts = {
  [CONSTRAINT]: (fault) => ({
    message: awsConstraint(fault.path, fault.facts?.["value"], text(fault, "constraint")),
    remedy: text(fault, "remedy"),
  }),
  [UNSUPPORTED]: (fault) => ({
    message: unsupportedParameter(String(fault.path[0] ?? "")),
    remedy: text(fault, "remedy"),
  }),
  [UNRECOGNIZED]: (fault) => {
    const reason = text(fault, "reason");
    return {
      message: reason === "" ? UNRECOGNIZED_SOURCE : `${UNRECOGNIZED_SOURCE} ${reason}`,
      remedy: text(fault, "remedy"),
    };
  },
  missingMember: (fault) => ({
    message: awsConstraint(fault.path, null, "Member must not be null."),
    remedy: text(fault, "remedy"),
  }),
  twoSources: (fault) => ({
    message: "A mapping has an eventSourceArn or a selfManagedEventSource, not both",
    remedy: `Remove one of the two; the servers of a cluster with an ARN stand in endpoints: { ${text(fault, "endpoint")}: [ … ] }`,
  }),
  functionName: fixed(
    "The text is not the name of a function",
    "Give a name of at most 64 letters, digits, - and _, with :QUALIFIER behind it if wanted, or an ARN",
  ),
  recordAge: fixed(
    "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)",
    "Give -1, or at least 60",
  ),
  windowWithLanes: fixed(
    "Parallelization factor must be equal to 1 when tumbling window period is configured",
    "Remove parallelizationFactor or tumblingWindowInSeconds",
  ),
  windowWithFilters: fixed(
    "Filter criteria cannot be used when tumbling window period is configured",
    "Remove filterCriteria or tumblingWindowInSeconds",
  ),
  timestampMissing: fixed(
    "StartingPosition AT_TIMESTAMP needs a startingPositionTimestamp, which is missing",
    "Give startingPositionTimestamp",
  ),
  timestampUnused: fixed(
    "Timestamp only valid with StartingPosition AT_TIMESTAMP",
    "Remove the field, or set startingPosition: AT_TIMESTAMP",
  ),
  timestampInFuture: fixed("The timestamp is in the future", "Give a time in the past"),
  startingPosition: (fault) => ({
    message: `Unsupported starting position for arn type: ${text(fault, "arn")}`,
    remedy: text(fault, "remedy"),
  }),
  destination: (fault) => ({ message: text(fault, "problem"), remedy: text(fault, "remedy") }),
  secretReference: (fault) => ({
    message: text(fault, "problem"),
    remedy:
      "Write the secret, as the JSON that AWS's secret would hold, into a file or an environment variable, and give file:PATH or env:NAME, or give the secret's ARN",
  }),
  accessUri: (fault) => ({
    message: `${text(fault, "type")} has no uri`,
    remedy: "Give uri: where the secret stands, or the value itself where the type has one",
  }),
  unknownEndpoint: (fault) => ({
    message: `The source ${text(fault, "kind")} has no endpoint ${JSON.stringify(text(fault, "name").slice(0, 80))}`,
    remedy: fault.facts?.["nearest"] === undefined ? "Remove it" : `Did you mean ${text(fault, "nearest")}?`,
  }),
  missingEndpoint: (fault) => ({
    message: `The source ${text(fault, "kind")} needs the endpoint ${text(fault, "name")}, which is missing`,
    remedy: `Give endpoints: { ${text(fault, "name")}: [ … ] }`,
  }),
  filterPattern: (fault) => ({ message: text(fault, "problem"), remedy: text(fault, "reason") }),
  pipeOfSource: (fault) => ({
    message: `Mappings of ${text(fault, "title")} have no enrichment and no templates`,
    remedy: "Remove the field, and have the function do it",
  }),
  pipeWithWindow: fixed(
    "Enrichment and templates cannot be used when tumbling window period is configured",
    "Remove the field or tumblingWindowInSeconds",
  ),
  enrichmentMissing: fixed(
    "There is no enrichment that these parameters are for",
    "Give enrichment: FUNCTION, or name the template under targetParameters",
  ),
  inputTemplate: (fault) => ({ message: text(fault, "problem"), remedy: text(fault, "remedy") }),
  batchWithoutWindow: fixed(
    "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    `Give maximumBatchingWindowInSeconds, or a batchSize of at most ${PLAIN_QUEUE_BATCH_SIZE_MAX}`,
  ),
  tenantOfOrder: fixed(
    "Fair lanes are for queues without order, and this queue is of the FIFO type",
    "Remove the field: groups of a FIFO queue do not wait for each other",
  ),
  tenantWeights: (fault) => ({
    message: `${text(fault, "named")} tenants have a weight of their own, and ${TENANT_WEIGHTS_MAX} may`,
    remedy: "Leave the others out: each of them counts 1",
  }),
  exists: (fault) => ({
    message: `The event source arn (" ${text(fault, "arn")} ") and function (" ${text(fault, "functionName")} ") provided mapping already exists. ${updateOrDelete(fault)}`,
    remedy: REMOVE_ONE,
  }),
  sourceMissing: (fault) => ({
    message: `Stream not found: ${text(fault, "arn")}`,
    remedy: "Make the stream, or name another",
  }),
  pollersWithScaling: fixed(
    "ScalingConfig cannot be used together with ProvisionedPollerConfig",
    "Remove one of the two",
  ),
  pollerOrder: (fault) => ({
    message: `There cannot be at least ${text(fault, "least")} and at most ${text(fault, "most")} pollers`,
    remedy: "Give a maximumPollers that is not below minimumPollers",
  }),
};

const REMOVE_ONE = "Remove one of the two mappings";

function updateOrDelete(fault: SpecFault): string {
  return `Please update or delete the existing mapping with UUID ${text(fault, "uuid")}`;
}

/** AWS's whole answer. */
export const UNRECOGNIZED_SOURCE = "Unrecognized event source.";

/** A value that is outside of its range or set, in AWS's words. */
export function constraintFault(
  path: readonly PropertyKey[],
  value: unknown,
  constraint: string,
  remedy: string,
): SpecFault {
  return { rule: CONSTRAINT, path, facts: { value, constraint, remedy } satisfies FaultFacts };
}

export function unsupportedFault(name: string, remedy: string): SpecFault {
  return { rule: UNSUPPORTED, path: [name], part: "key", facts: { remedy } };
}
