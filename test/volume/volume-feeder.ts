/**
 * A process of its own: fills a local file or a real server with records, as many bytes as its parent's latest message
 * allows, so that what nobody has read yet stays small.
 */
import { once } from "node:events";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { dynamodbStreamsConnector } from "../../connectors/dynamodb-streams/connector.ts";
import { KafkaCluster } from "../../connectors/kafka/cluster.ts";
import { createTopicSender } from "../../connectors/kafka/sender.ts";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import { sqsConnector } from "../../connectors/sqs/connector.ts";
import type { RecordSender } from "../../src/ports/record-sender.ts";
import { PLAIN } from "../load/engine-run.ts";
import type { FeedPlace, VolumeRun } from "./volume-plan.ts";

const { source, place }: { readonly source: VolumeRun["source"]; readonly place: FeedPlace } = JSON.parse(
  process.argv[2] ?? "",
);
const LOCAL_BYTES = source === "local-queue" ? 8_000 : 1_000;
const LOCAL_AT_ONCE = 500_000 / LOCAL_BYTES;
const NEW_SOURCE = { shards: 1, retentionMs: 86_400_000, visibilityMs: 30_000 };
/** Calls of emulators cost by the record more than by the byte. */
const SENT_BYTES = 8_000;
const KEYS = 100;

type Sender = Pick<RecordSender, "recordsMax" | "bytesMax" | "concurrency" | "send">;

let number = 0;
let fed = 0;
let allowed = 0;
process.on("message", (bytes: number) => {
  allowed = bytes;
});
process.on("disconnect", () => process.exit(0));

async function room(): Promise<void> {
  while (fed >= allowed) await once(process, "message");
}

if (source === "local-stream" || source === "local-queue") await fillFile();
else await fillServer(await openSender());

async function fillFile(): Promise<void> {
  const data = "x".repeat(LOCAL_BYTES);
  const file = openStreamFile(place.file);
  const stream = source === "local-stream" ? file.openStream("volume") : undefined;
  const queue = source === "local-queue" ? file.openQueue("volume") : undefined;
  const count = { length: LOCAL_AT_ONCE };
  for (;;) {
    await room();
    stream?.append(Array.from(count, () => ({ partitionKey: `k${number++ % KEYS}`, data })));
    queue?.send(Array.from(count, () => ({ body: data })));
    fed += LOCAL_BYTES * LOCAL_AT_ONCE;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function openSender(): Promise<Sender> {
  const mapping = { ...PLAIN, eventSourceArn: place.arn };
  const queue = {
    ...PLAIN,
    eventSourceArn: place.arn,
    concurrencyMax: undefined,
    provisionedPollers: undefined,
  };
  const sender =
    source === "kafka"
      ? createTopicSender(
          new KafkaCluster({ bootstrap: [place.bootstrap], access: {}, clientId: "feeder" }),
          place.topic,
        )
      : source === "kinesis"
        ? openKinesisSender(place.arn)
        : source === "sqs"
          ? await sqsConnector.openSender?.({ ...queue, strictAwsFifo: false }, {}, NEW_SOURCE)
          : await dynamodbStreamsConnector.openSender?.(mapping, {}, NEW_SOURCE);
  if (sender === undefined) throw new Error(`nothing sends to ${source}`);
  return sender;
}

/** The emulator knows streams by their names only. */
function openKinesisSender(arn: string): Sender {
  const client = new KinesisClient({ requestHandler: new NodeHttpHandler() });
  const StreamName = arn.split("/").at(-1);
  return {
    ...{ recordsMax: 500, bytesMax: 1_000_000, concurrency: 2 },
    async send(records) {
      const Records = records.map(({ key, data }) => ({ PartitionKey: key, Data: Buffer.from(data) }));
      await client.send(new PutRecordsCommand({ StreamName, Records }));
      return records.map(() => "accepted");
    },
  };
}

async function fillServer(sender: Sender): Promise<void> {
  const { recordsMax, bytesMax, concurrency } = sender;
  const atOnce = Math.max(1, Math.min(recordsMax, Math.floor(bytesMax / (SENT_BYTES + KEYS))));
  const data = "x".repeat(SENT_BYTES);
  await Promise.all(
    Array.from({ length: Math.min(concurrency, 8) }, async (_, lane) => {
      for (;;) {
        await room();
        fed += atOnce * SENT_BYTES;
        const outcomes = await sender.send(
          Array.from({ length: atOnce }, (_, index) => ({ key: `k${lane}-${index % KEYS}`, data })),
        );
        if (outcomes.includes("refused")) throw new Error(`${source} refused records`);
      }
    }),
  );
}
