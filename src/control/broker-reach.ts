import type { NetworkReach } from "../model/network-reach.ts";
import type { Connector } from "../ports/connector.ts";

/** The connectors for mappings of the API: what their callers name is dialled only within reach. Manifests are free. */
export function withinReach(connectors: readonly Connector[], reach: NetworkReach): readonly Connector[] {
  return connectors.map((connector) => {
    if (connector.offers === "queue") {
      return {
        ...connector,
        openQueue: (mapping, settings) => connector.openQueue(mapping, { ...settings, reach }),
      };
    }
    const { openDestination } = connector;
    return {
      ...connector,
      openStream: (mapping, settings) => connector.openStream(mapping, { ...settings, reach }),
      ...(openDestination === undefined
        ? {}
        : {
            openDestination: (mapping, settings, uri) =>
              openDestination.call(connector, mapping, { ...settings, reach }, uri),
          }),
    };
  });
}
