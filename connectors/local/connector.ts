import { MillraceError } from "../../src/model/errors.ts";
import type { QueueConnector, SourceEndpoints, StreamConnector } from "../../src/ports/connector.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { parseQueueArn } from "./queue-arn.ts";
import { QUEUE_FILTER_DATA_KEY } from "./queue-event.ts";
import { openLocalQueueSource, QUEUE_KIND } from "./queue-source.ts";
import { openQueueSender, openStreamSender } from "./sender.ts";
import { KIND, openLocalSource } from "./source.ts";
import { ARN_SERVICE, parseStreamArn } from "./stream-arn.ts";

const FILE_ENDPOINT = "LOCAL_FILE";

/** Streams in an embedded SQLite file: for trying things out, for tests, and for a single host's own durable stream. */
export const localConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "stream/" }],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [FILE_ENDPOINT],
  async openStream(mapping, endpoints) {
    const path = filePath(`The mapping "${mapping.name}" reads a local stream`, endpoints);
    return openLocalSource(path, parseStreamArn(mapping.eventSourceArn));
  },
  async openSender(mapping, endpoints, source) {
    const path = filePath(`The mapping "${mapping.name}" fills a local stream`, endpoints);
    return openStreamSender(path, parseStreamArn(mapping.eventSourceArn).name, source);
  },
};

/** Queues in the same file, standard and FIFO (queues §2). */
export const localQueueConnector: QueueConnector = {
  kind: QUEUE_KIND,
  offers: "queue",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "queue/" }],
  filterDataKey: QUEUE_FILTER_DATA_KEY,
  isFifoQueue: (eventSourceArn) => eventSourceArn.endsWith(".fifo"),
  endpointNames: [FILE_ENDPOINT],
  async openQueue(mapping, endpoints) {
    const path = filePath(`The mapping "${mapping.name}" reads a local queue`, endpoints);
    return openLocalQueueSource(
      path,
      parseQueueArn(mapping.eventSourceArn),
      Date.now,
      mapping.batchingWindowMs,
    );
  },
  async openSender(mapping, endpoints, source) {
    const path = filePath(`The mapping "${mapping.name}" fills a local queue`, endpoints);
    return openQueueSender(path, parseQueueArn(mapping.eventSourceArn).name, source);
  },
};

function filePath(reader: string, endpoints: SourceEndpoints): string {
  const paths = endpoints[FILE_ENDPOINT] ?? [];
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `${reader}: its endpoints.${FILE_ENDPOINT} must hold exactly one path, not ${paths.length}.`,
    );
  }
  return path;
}
