import type { Connector } from "../ports/connector.ts";
import type { ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";
import { unsupportedFault } from "./fault-texts.ts";
import { QUEUE_PARAMETERS, STREAM_PARAMETERS } from "./unsupported-parameters.ts";

/** Refuses fields that mappings of this source have not: what would have no effect is told, and never dropped. */
export function checkFields(
  mapping: WrittenMapping,
  { offers, parameters }: Connector,
  connectors: readonly Connector[],
  report: ReportFault,
): void {
  const { refuses = [], takes = [], title } = parameters;
  const refuse = (name: string, remedy: string) => {
    if (mapping.raw(name) !== undefined) report(unsupportedFault(name, remedy));
  };
  for (const name of refuses) refuse(name, `Remove the field: ${title} mappings have none`);
  const others: readonly string[] = offers === "queue" ? STREAM_PARAMETERS : QUEUE_PARAMETERS;
  for (const name of others) {
    if (!takes.includes(name) && !refuses.includes(name)) refuse(name, remedyOf(name, offers));
  }
  for (const { parameters: other } of connectors) {
    for (const name of Object.keys(other.fields)) {
      // What names the source has chosen the connector already.
      if (name === SOURCE_FIELD || name in parameters.fields) continue;
      refuse(name, `Remove the field: it is for ${other.sourceNoun ?? other.title}`);
    }
  }
}

const SOURCE_FIELD = "selfManagedEventSource";

function remedyOf(name: string, offers: Connector["offers"]): string {
  if (name === "destinationConfig") {
    return "Remove the field: the queue's own redrive policy says where messages go that fail too often";
  }
  return `Remove the field: it is for ${offers === "queue" ? "streams" : "queues"}`;
}
