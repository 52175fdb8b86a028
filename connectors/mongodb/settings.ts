import { type BrokerLogin, loginsOf } from "../../src/brokers/broker-access.ts";
import type { StreamMapping } from "../../src/model/mapping.ts";
import type { ShownSettings } from "../../src/ports/connector-parameters.ts";

export const KIND = "mongodb";

/** The entry of `endpoints` that says where the cluster is: AWS finds it by its ARN. */
export const CLUSTER_ENDPOINTS = "MONGODB_ENDPOINTS";

export const CONFIG = "documentDBEventSourceConfig";

/** What is done when the server no longer has the changes behind the last one that was settled. */
export const HISTORY_LOST = ["stop", "oldest", "latest"] as const;
export type HistoryLost = (typeof HISTORY_LOST)[number];

export interface MongoSettings {
  readonly eventSourceArn: string;
  /** `mongodb://HOST:PORT`, members of one cluster, or one `mongodb+srv://HOST`; all with the same options. */
  readonly endpoints: readonly string[];
  readonly database: string;
  /** `undefined`: all collections of the database. */
  readonly collection: string | undefined;
  readonly fullDocument: "Default" | "UpdateLookup";
  readonly historyLost: HistoryLost;
  readonly logins: readonly BrokerLogin[];
}

/** The fields as their schema has checked them. */
interface Fields {
  readonly documentDBEventSourceConfig?: {
    readonly databaseName: string;
    readonly collectionName?: string;
    readonly fullDocument?: MongoSettings["fullDocument"];
  };
  readonly sourceAccessConfigurations?: readonly { readonly type: string; readonly uri: string }[];
  readonly historyLost?: HistoryLost;
}

/** Settings of a mapping that has passed all checks. */
export function mongoSettings(
  { eventSourceArn = "" }: Pick<StreamMapping, "eventSourceArn">,
  { own = {}, endpoints = {}, folder = process.cwd() }: ShownSettings,
): MongoSettings {
  const fields = own as Fields;
  const config = fields.documentDBEventSourceConfig;
  return {
    eventSourceArn,
    endpoints: endpoints[CLUSTER_ENDPOINTS] ?? [],
    database: config?.databaseName ?? "",
    collection: config?.collectionName,
    fullDocument: config?.fullDocument ?? "Default",
    historyLost: fields.historyLost ?? "stop",
    logins: loginsOf(fields.sourceAccessConfigurations ?? [], folder),
  };
}

/** `DATABASE.COLLECTION`, or the database alone: the stream's only shard, and what is said of it. */
export function namespaceOf({
  database,
  collection,
}: Pick<MongoSettings, "database" | "collection">): string {
  return collection === undefined ? database : `${database}.${collection}`;
}
