import type { NetworkReach } from "../model/network-reach.ts";
import type { Connector, SourceSettings } from "../ports/connector.ts";
import type { SourceBacklog } from "../ports/source-backlog.ts";

/** The connectors for mappings of the API: what their callers name is dialled only within reach. Manifests are free. */
export function withinReach(connectors: readonly Connector[], reach: NetworkReach): readonly Connector[] {
  return connectors.map((connector) => {
    if (connector.offers === "queue") {
      return {
        ...connector,
        ...backlogWithin(connector.openBacklog?.bind(connector), reach),
        openQueue: (mapping, settings) => connector.openQueue(mapping, { ...settings, reach }),
      };
    }
    const { openDestination } = connector;
    return {
      ...connector,
      openStream: (mapping, settings) => connector.openStream(mapping, { ...settings, reach }),
      ...backlogWithin(connector.openBacklog?.bind(connector), reach),
      ...(openDestination === undefined
        ? {}
        : {
            openDestination: (mapping, settings, uri) =>
              openDestination.call(connector, mapping, { ...settings, reach }, uri),
          }),
    };
  });
}

type OpenBacklog<Mapping> = (mapping: Mapping, settings: SourceSettings) => Promise<SourceBacklog>;

function backlogWithin<Mapping>(
  open: OpenBacklog<Mapping> | undefined,
  reach: NetworkReach,
): { readonly openBacklog?: OpenBacklog<Mapping> } {
  if (open === undefined) return {};
  return { openBacklog: (mapping, settings) => open(mapping, { ...settings, reach }) };
}
