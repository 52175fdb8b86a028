import {
  decodeKinesisElement,
  KINESIS_PIPE_RECORDS,
  splitKinesisEvent,
} from "../../src/model/kinesis-event-records.ts";
import type { StreamConnector } from "../../src/ports/connector.ts";
import type { StreamSource } from "../../src/ports/stream-source.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { KIND } from "./kind.ts";
import { kinesisParameters } from "./parameters.ts";
import { comparePositions } from "./position.ts";
import { KINESIS_QUOTA, ShardQuotas } from "./shard-quota.ts";
import type { KinesisSourceOptions } from "./source.ts";
import { ARN_SERVICE, parseStreamArn } from "./stream-arn.ts";

/** Kinesis allows what it allows of a shard to all its readers together: mappings of this process share it. */
const quotas = new ShardQuotas(KINESIS_QUOTA, () => performance.now());

/**
 * Kinesis Data Streams: GetRecords for a stream's ARN, SubscribeToShard for a consumer's. The SDK is loaded only
 * where a mapping reads one.
 */
export const kinesisConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "" }],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [],
  parameters: kinesisParameters,
  eventRecords: { split: splitKinesisEvent, decode: decodeKinesisElement, comparePositions },
  pipeRecords: KINESIS_PIPE_RECORDS,
  openStream: (mapping) => openKinesisSource(mapping.eventSourceArn ?? ""),
  async openSender(mapping) {
    const { createStreamSender } = await import("./sender.ts");
    return createStreamSender(parseStreamArn(mapping.eventSourceArn ?? ""));
  },
};

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND and _UNAVAILABLE when the stream cannot be described. */
export async function openKinesisSource(
  eventSourceArn: string,
  pace: Partial<Pick<KinesisSourceOptions, "quotas" | "idleReadMs">> = {},
): Promise<StreamSource> {
  const arn = parseStreamArn(eventSourceArn);
  const [{ createSdkApi }, { createKinesisSource }] = await Promise.all([
    import("./sdk-api.ts"),
    import("./source.ts"),
  ]);
  const api = createSdkApi(arn);
  try {
    // Also looks, before anything is read, whether the stream is there and may be read.
    await api.describeStream(new AbortController().signal);
    return createKinesisSource({ arn, api, quotas, ...pace });
  } catch (error) {
    api.close();
    throw error;
  }
}
