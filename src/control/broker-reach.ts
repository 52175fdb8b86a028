import type { NetworkReach } from "../model/network-reach.ts";
import type { Connector } from "../ports/connector.ts";

/** The connectors for mappings of the API: what their callers name is dialled only within reach. Manifests are free. */
export function withinReach(connectors: readonly Connector[], reach: NetworkReach): readonly Connector[] {
  return connectors.map((connector) =>
    connector.offers === "topic"
      ? {
          ...connector,
          openTopic: (mapping) => connector.openTopic(mapping, reach),
          openTopicDestination: (mapping, topic) => connector.openTopicDestination(mapping, topic, reach),
        }
      : connector,
  );
}
