import type { TopicMapping } from "../../src/model/mapping.ts";
import type { NetworkReach } from "../../src/model/network-reach.ts";
import type { TopicConnector } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { KIND } from "./kind.ts";

const BOOTSTRAP_SERVERS = "KAFKA_BOOTSTRAP_SERVERS";
/** What brokers call us in their logs and quotas. */
const CLIENT_ID = "millrace";

/** Topics of Kafka clusters, Amazon MSK's among them. kafkajs is loaded only where a mapping reads one. */
export const kafkaConnector: TopicConnector = {
  kind: KIND,
  offers: "topic",
  sources: [
    { kind: "arn", service: "kafka", resourcePrefix: "cluster/" },
    { kind: "selfManaged", endpointName: BOOTSTRAP_SERVERS },
  ],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [BOOTSTRAP_SERVERS],
  async openTopic(mapping, reach) {
    const [cluster, { createKafkaSource }, { createGroupProgress }] = await Promise.all([
      openCluster(mapping, reach),
      import("./source.ts"),
      import("./kafka-group.ts"),
    ]);
    const { topic, consumerGroupId: groupId, eventSourceArn, bootstrapServers } = mapping;
    return createKafkaSource({
      cluster,
      topic,
      eventSourceArn,
      bootstrapServers,
      progress: (lookups) => createGroupProgress({ cluster, groupId, topic, ...lookups }),
    });
  },
  async openTopicDestination(mapping, topic, reach) {
    const [cluster, { createTopicDestination }] = await Promise.all([
      openCluster(mapping, reach),
      import("./destination.ts"),
    ]);
    return createTopicDestination({ cluster, topic });
  },
  async openSender(mapping) {
    const [cluster, { createTopicSender }] = await Promise.all([openCluster(mapping), import("./sender.ts")]);
    return createTopicSender(cluster, mapping.topic);
  },
};

/** @throws ERR_MILLRACE_CONFIG when a secret cannot be read. Connections are made when they are needed. */
async function openCluster(mapping: TopicMapping, reach?: NetworkReach) {
  const [{ KafkaCluster }, { readAccess }] = await Promise.all([
    import("./cluster.ts"),
    import("./secrets.ts"),
  ]);
  const access = await readAccess(mapping);
  return new KafkaCluster({
    bootstrap: mapping.bootstrapServers,
    access,
    clientId: CLIENT_ID,
    ...(reach === undefined ? {} : { reach }),
  });
}
