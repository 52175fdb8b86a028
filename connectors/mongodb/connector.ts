import type { StreamConnector } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { mongoEventRecords } from "./event-records.ts";
import { mongoParameters } from "./parameters.ts";
import { CLUSTER_ENDPOINTS, KIND, mongoSettings } from "./settings.ts";

/** Change streams of MongoDB and of DocumentDB (brokers §4). The driver is loaded only where a mapping reads one. */
export const mongoConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  sources: [{ kind: "arn", service: "rds", resourcePrefix: "cluster:" }],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [CLUSTER_ENDPOINTS],
  parameters: mongoParameters,
  eventRecords: mongoEventRecords,
  async openStream(mapping, settings) {
    const place = mongoSettings(mapping, settings);
    const [{ openCluster }, { createChangeSource }] = await Promise.all([
      import("./cluster.ts"),
      import("./source.ts"),
    ]);
    return createChangeSource(place, await openCluster(place));
  },
  async openSender(mapping, settings) {
    const { openDocumentSender } = await import("./sender.ts");
    return await openDocumentSender(mongoSettings(mapping, settings));
  },
};
