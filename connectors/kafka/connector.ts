import type { NetworkReach } from "../../src/model/network-reach.ts";
import type { StreamConnector } from "../../src/ports/connector.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { kafkaEventRecords, kafkaPipeRecords } from "./event-records.ts";
import { KIND } from "./kind.ts";
import { openCluster } from "./open-cluster.ts";
import { kafkaParameters } from "./parameters.ts";
import type { RecordSchemas } from "./schema-reader.ts";
import { BOOTSTRAP_SERVERS, kafkaSettings, type SchemaSettings, type TopicPlace } from "./settings.ts";
import { destinationTopic } from "./topic-address.ts";
import { topicKind } from "./topic-kind.ts";

/** Topics of Kafka clusters, Amazon MSK's among them. kafkajs is loaded only where a mapping reads one. */
export const kafkaConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  sources: [
    { kind: "arn", service: "kafka", resourcePrefix: "cluster/" },
    { kind: "selfManaged", endpointName: BOOTSTRAP_SERVERS },
  ],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [BOOTSTRAP_SERVERS],
  parameters: kafkaParameters,
  eventRecords: kafkaEventRecords,
  pipeRecords: kafkaPipeRecords,
  openStream: (mapping, settings) =>
    openTopic(
      { ...kafkaSettings(mapping, settings), eventSourceArn: mapping.eventSourceArn },
      settings.reach,
    ),
  async openBacklog(mapping, settings) {
    const place = kafkaSettings(mapping, settings);
    const [cluster, { createTopicBacklog }] = await Promise.all([
      openCluster({ ...place, eventSourceArn: mapping.eventSourceArn }, settings.reach),
      import("./backlog.ts"),
    ]);
    return createTopicBacklog({ cluster, topic: place.topic, groupId: place.consumerGroupId });
  },
  async openDestination(mapping, settings, uri) {
    const place = { ...kafkaSettings(mapping, settings), eventSourceArn: mapping.eventSourceArn };
    const [cluster, { createTopicDestination }] = await Promise.all([
      openCluster(place, settings.reach),
      import("./destination.ts"),
    ]);
    return createTopicDestination({ cluster, topic: destinationTopic(uri) ?? "" });
  },
  eventDestination: topicKind,
  async openFailureReader(mapping, settings, uri) {
    const place = { ...kafkaSettings(mapping, settings), eventSourceArn: mapping.eventSourceArn };
    const [cluster, { createTopicFailureReader }] = await Promise.all([
      openCluster(place, settings.reach),
      import("./failure-reader.ts"),
    ]);
    return createTopicFailureReader({
      cluster,
      topic: destinationTopic(uri) ?? "",
      bootstrapServers: place.bootstrapServers,
    });
  },
  async openSender(mapping, settings) {
    const place = { ...kafkaSettings(mapping, settings), eventSourceArn: mapping.eventSourceArn };
    const [cluster, { createTopicSender }] = await Promise.all([openCluster(place), import("./sender.ts")]);
    return createTopicSender(cluster, place.topic);
  },
};

/** @throws as `openCluster`. */
export async function openTopic(place: TopicPlace, reach?: NetworkReach): Promise<StreamSource> {
  const [cluster, { createKafkaSource }, { createGroupProgress }] = await Promise.all([
    openCluster(place, reach),
    import("./source.ts"),
    import("./kafka-group.ts"),
  ]);
  const { topic, consumerGroupId: groupId, eventSourceArn, bootstrapServers } = place;
  const schemas = place.schemas === undefined ? undefined : await openRegistry(place.schemas, reach);
  return createKafkaSource({
    cluster,
    topic,
    eventSourceArn,
    bootstrapServers,
    consumerGroup: groupId,
    ...(schemas === undefined ? {} : { schemas }),
    progress: (lookups) => createGroupProgress({ cluster, groupId, topic, ...lookups }),
  });
}

/** The libraries of schemas are loaded only where a mapping has a registry. */
async function openRegistry(settings: SchemaSettings, reach?: NetworkReach): Promise<RecordSchemas> {
  const { openSchemas } = await import("./schema-config.ts");
  return await openSchemas(settings, reach);
}
