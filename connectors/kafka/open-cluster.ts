import type { NetworkReach } from "../../src/model/network-reach.ts";
import type { KafkaCluster } from "./cluster.ts";
import type { TopicPlace } from "./settings.ts";

/** What brokers call us in their logs and quotas. */
const CLIENT_ID = "millrace";

export type ClusterPlace = Pick<TopicPlace, "access" | "bootstrapServers" | "eventSourceArn">;

/** @throws ERR_MILLRACE_CONFIG when a secret cannot be read. Connections are made when they are needed. */
export async function openCluster(place: ClusterPlace, reach?: NetworkReach): Promise<KafkaCluster> {
  const [cluster, { readAccess }] = await Promise.all([import("./cluster.ts"), import("./secrets.ts")]);
  const access = await readAccess(place);
  return new cluster.KafkaCluster({
    bootstrap: place.bootstrapServers,
    access,
    clientId: CLIENT_ID,
    ...(reach === undefined ? {} : { reach }),
  });
}
