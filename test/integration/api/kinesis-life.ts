import { KinesisTestStream } from "../../servers/kinesis-stream.ts";
import type { LifeSource } from "./mapping-life.ts";

/** A new stream of the emulator at `endpoint`, with two shards. */
export async function createStreamLife(endpoint: string): Promise<LifeSource & { close(): Promise<void> }> {
  const stream = await KinesisTestStream.create(endpoint, 2);
  const { arn } = stream;
  return {
    members: { EventSourceArn: arn, StartingPosition: "TRIM_HORIZON" },
    stateTransitionReason: "User action",
    isStream: true,
    existing: `The event source arn (" ${arn} ") and function (" orders ") provided mapping already exists.`,
    missing: { members: { EventSourceArn: `${arn}-missing` }, message: /^Stream not found: .+-missing$/ },
    send: (data) => stream.put([{ key: "key", data }]),
    close: async () => stream.close(),
  };
}
