import type { Connector } from "../ports/connector.ts";

/** How mappings name what connectors read, as a person writes it. */
export function formsOf(connectors: readonly Connector[]): readonly string[] {
  return connectors.flatMap(({ sources }) =>
    sources.map((form) =>
      form.kind === "arn"
        ? `arn:aws:${form.service}:REGION:ACCOUNT:${form.resourcePrefix}…`
        : `selfManagedEventSource: { endpoints: { ${form.endpointName}: [ … ] } }`,
    ),
  );
}
