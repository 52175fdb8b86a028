import { openCluster } from "../../connectors/mongodb/cluster.ts";
import type { MongoSettings } from "../../connectors/mongodb/settings.ts";
import { createChangeSource } from "../../connectors/mongodb/source.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";

export const CLUSTER_ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:shop";

export function mongoSettingsOf(endpoint: string, more: Partial<MongoSettings> = {}): MongoSettings {
  return {
    eventSourceArn: CLUSTER_ARN,
    endpoints: [endpoint],
    database: "shop",
    collection: "orders",
    fullDocument: "Default",
    historyLost: "oldest",
    logins: [],
    ...more,
  };
}

export async function openChangeSource(settings: MongoSettings, answerMsMax?: number): Promise<StreamSource> {
  return createChangeSource(settings, await openCluster(settings, answerMsMax));
}
