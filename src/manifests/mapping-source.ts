import type { Connector, SourceForm } from "../ports/connector.ts";
import type { ManifestDocument } from "./manifest-document.ts";
import { parseSourceArn } from "./source-arn.ts";

/** How a mapping names its source, as written: by an ARN, or by endpoints of its own. */
export interface SourceReference {
  readonly eventSourceArn?: unknown;
  readonly selfManagedEventSource?: unknown;
}

/** The connector that reads what the mapping names. */
export function connectorOf(
  { eventSourceArn, selfManagedEventSource }: SourceReference,
  connectors: readonly Connector[],
): Connector | undefined {
  const names = endpointNamesOf(selfManagedEventSource);
  const source = typeof eventSourceArn === "string" ? parseSourceArn(eventSourceArn) : undefined;
  const isMeant = (form: SourceForm) => {
    if (form.kind === "selfManaged") return eventSourceArn === undefined && names.includes(form.endpointName);
    return form.service === source?.service && source.resource.startsWith(form.resourcePrefix);
  };
  return connectors.find(({ sources }) => sources.some(isMeant));
}

export function sourceReference(document: ManifestDocument): SourceReference {
  return {
    eventSourceArn: document.raw("spec", "eventSourceArn"),
    selfManagedEventSource: document.raw("spec", "selfManagedEventSource"),
  };
}

export function isTopicMapping(document: ManifestDocument, connectors: readonly Connector[]): boolean {
  return connectorOf(sourceReference(document), connectors)?.offers === "topic";
}

/** Says what is wrong with the source's name when no connector reads it. */
export function checkSource(
  document: ManifestDocument,
  connectors: readonly Connector[],
): Connector | undefined {
  const reference = sourceReference(document);
  const { eventSourceArn, selfManagedEventSource } = reference;
  if (eventSourceArn !== undefined && selfManagedEventSource !== undefined) {
    const message = "A mapping has an eventSourceArn or a selfManagedEventSource, not both";
    const remedy =
      "Remove one of the two; the servers of a cluster with an ARN stand in endpoints: { KAFKA_BOOTSTRAP_SERVERS: [ … ] }";
    document.report(["spec", "selfManagedEventSource"], message, remedy, "key");
  }
  const connector = connectorOf(reference, connectors);
  if (connector !== undefined) return connector;
  const forms = `Sources here are: ${formsOf(connectors).join(", ")}`;
  if (eventSourceArn === undefined && selfManagedEventSource === undefined) {
    document.report(["spec"], "Unrecognized event source.", `Give eventSourceArn. ${forms}`, "key");
  } else if (typeof eventSourceArn === "string") {
    const reason = arnReason(eventSourceArn, connectors);
    document.report(["spec", "eventSourceArn"], `Unrecognized event source. ${reason}`, forms);
  } else if (eventSourceArn === undefined) {
    const names = endpointNamesOf(selfManagedEventSource).map((name) => JSON.stringify(name.slice(0, 80)));
    const reason = `This version has no connector for endpoints of the kind ${names.join(", ") || "that is given"}`;
    document.report(["spec", "selfManagedEventSource"], `Unrecognized event source. ${reason}`, forms, "key");
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

function formsOf(connectors: readonly Connector[]): readonly string[] {
  return connectors.flatMap(({ sources }) =>
    sources.map((form) =>
      form.kind === "arn"
        ? `arn:aws:${form.service}:REGION:ACCOUNT:${form.resourcePrefix}…`
        : `selfManagedEventSource: { endpoints: { ${form.endpointName}: [ … ] } }`,
    ),
  );
}

function endpointNamesOf(selfManagedEventSource: unknown): readonly string[] {
  if (typeof selfManagedEventSource !== "object" || selfManagedEventSource === null) return [];
  const endpoints: unknown = Reflect.get(selfManagedEventSource, "endpoints");
  return typeof endpoints === "object" && endpoints !== null ? Object.keys(endpoints) : [];
}
