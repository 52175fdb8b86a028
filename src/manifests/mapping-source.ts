import type { Connector, SourceForm } from "../ports/connector.ts";
import type { FaultText, ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";
import { UNRECOGNIZED } from "./fault-texts.ts";
import { parseSourceArn } from "./source-arn.ts";
import { formsOf } from "./source-forms.ts";

/** How a mapping names its source, as written: by an ARN, or by endpoints of its own. */
export interface SourceReference {
  readonly eventSourceArn?: unknown;
  readonly selfManagedEventSource?: unknown;
  /** Where the source is. One form of ARN may be that of several connectors, which ask for endpoints of other names. */
  readonly endpoints?: unknown;
}

/** The connector that reads what the mapping names. */
export function connectorOf(
  reference: SourceReference,
  connectors: readonly Connector[],
): Connector | undefined {
  const meant = connectorsMeant(reference, connectors);
  const given = namesOf(reference.endpoints);
  // plant: brokers-of-one-form-of-arn-are-not-told-apart
  return meant.find(({ endpointNames }) => endpointNames.some((name) => given.includes(name))) ?? meant[0];
}

/**
 * What is said of endpoints that do not tell either which connector is meant, where several read one form of ARN; there
 * are some of more than one. `undefined`: they tell it.
 */
export function endpointRivalry(
  reference: SourceReference,
  connectors: readonly Connector[],
): FaultText | undefined {
  const given = namesOf(reference.endpoints);
  const rivals = connectorsMeant(reference, connectors).flatMap(
    ({ endpointNames }) => endpointNames.find((name) => given.includes(name)) ?? [],
  );
  // plant: endpoints-of-two-kinds-of-brokers-are-those-of-the-first
  if (rivals.length < 2) return undefined;
  return {
    message: `There are endpoints of ${rivals.join(" and ")}, and the ARN does not tell which of them the mapping reads`,
    remedy: `Give --endpoint for one of them only, or declare the mapping in a manifest, whose endpoints name one: endpoints: { ${rivals[0]}: [ADDRESS] }`,
  };
}

function connectorsMeant(
  { eventSourceArn, selfManagedEventSource }: SourceReference,
  connectors: readonly Connector[],
): readonly Connector[] {
  const names = endpointNamesOf(selfManagedEventSource);
  const source = typeof eventSourceArn === "string" ? parseSourceArn(eventSourceArn) : undefined;
  const isMeant = (form: SourceForm) => {
    if (form.kind === "selfManaged") return eventSourceArn === undefined && names.includes(form.endpointName);
    return form.service === source?.service && source.resource.startsWith(form.resourcePrefix);
  };
  return connectors.filter(({ sources }) => sources.some(isMeant));
}

/** Says what is wrong with the source's name when no connector reads it. */
export function checkSource(
  mapping: WrittenMapping,
  connectors: readonly Connector[],
  report: ReportFault,
): Connector | undefined {
  const [eventSourceArn, selfManagedEventSource] = [
    mapping.raw("eventSourceArn"),
    mapping.raw("selfManagedEventSource"),
  ];
  if (eventSourceArn !== undefined && selfManagedEventSource !== undefined) {
    const endpoint = endpointNamesOf(selfManagedEventSource)[0] ?? "NAME";
    report({ rule: "twoSources", path: ["selfManagedEventSource"], part: "key", facts: { endpoint } });
  }
  const endpoints = mapping.raw("endpoints");
  const connector = connectorOf({ eventSourceArn, selfManagedEventSource, endpoints }, connectors);
  if (connector !== undefined) return connector;
  const remedy = `Sources here are: ${formsOf(connectors).join(", ")}`;
  const rule = UNRECOGNIZED;
  if (eventSourceArn === undefined && selfManagedEventSource === undefined) {
    report({ rule, path: [], part: "key", facts: { remedy: `Give eventSourceArn. ${remedy}` } });
  } else if (typeof eventSourceArn === "string") {
    const reason = arnReason(eventSourceArn, connectors);
    report({ rule, path: ["eventSourceArn"], facts: { reason, remedy } });
  } else if (eventSourceArn === undefined) {
    const names = endpointNamesOf(selfManagedEventSource).map((name) => JSON.stringify(name.slice(0, 80)));
    const reason = `This version has no connector for endpoints of the kind ${names.join(", ") || "that is given"}`;
    report({ rule, path: ["selfManagedEventSource"], part: "key", facts: { reason, remedy } });
  }
  return undefined;
}

function arnReason(arn: string, connectors: readonly Connector[]): string {
  const service = parseSourceArn(arn)?.service;
  if (service === undefined) return "The text is not an ARN";
  const forms = connectors.flatMap(({ sources }) => sources);
  const isServiceKnown = forms.some((form) => form.kind === "arn" && form.service === service);
  return `This version has no connector for ${isServiceKnown ? "this resource of " : ""}the service ${service}`;
}

function endpointNamesOf(selfManagedEventSource: unknown): readonly string[] {
  if (typeof selfManagedEventSource !== "object" || selfManagedEventSource === null) return [];
  return namesOf(Reflect.get(selfManagedEventSource, "endpoints"));
}

function namesOf(endpoints: unknown): readonly string[] {
  return typeof endpoints === "object" && endpoints !== null ? Object.keys(endpoints) : [];
}
