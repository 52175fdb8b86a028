import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedQueues } from "../../connectors/local/queue-keeper.ts";
import { embeddedStreams } from "../../connectors/local/stream-keeper.ts";
import { describeEmbeddedQueuesContract, describeEmbeddedStreamsContract } from "./embedded-sources.ts";

const ENDPOINT = "LOCAL_FILE";
const STREAM_ARN = "arn:aws:local:eu-west-1:123456789012:stream/orders";
const QUEUE_ARN = "arn:aws:local:eu-west-1:123456789012:queue/orders";
const FOREIGN = ["arn:aws:kinesis:eu-west-1:123456789012:stream/orders", "orders", ""];

describeEmbeddedStreamsContract("a local file", {
  sources: embeddedStreams(ENDPOINT),
  ...madeBy("stream-keeper.ts", "embeddedStreams"),
  foreign: [...FOREIGN, QUEUE_ARN],
  createPlace,
});

describeEmbeddedQueuesContract("a local file", {
  sources: embeddedQueues(ENDPOINT),
  ...madeBy("queue-keeper.ts", "embeddedQueues"),
  foreign: [...FOREIGN, STREAM_ARN],
  createPlace,
});

function madeBy(file: string, make: string) {
  return { module: new URL(`../../connectors/local/${file}`, import.meta.url).href, make };
}

async function createPlace() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  return {
    at: join(folder, "sources.db"),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
