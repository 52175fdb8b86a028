import { MillraceError } from "../../src/model/errors.ts";
import {
  decodeKinesisElement,
  KINESIS_PIPE_RECORDS,
  splitKinesisEvent,
} from "../../src/model/kinesis-event-records.ts";
import {
  compareSqsPositions,
  decodeSqsElement,
  SQS_PIPE_RECORDS,
  splitSqsEvent,
} from "../../src/model/sqs-event-records.ts";
import type { QueueConnector, SourceEndpoints, StreamConnector } from "../../src/ports/connector.ts";
import { LockWait } from "../../src/sqlite/lock-wait.ts";
import { openLocalDeadLetters } from "./dead-letters.ts";
import { FILTER_DATA_KEY } from "./event.ts";
import { localParameters, localQueueParameters } from "./parameters.ts";
import { comparePositions } from "./position.ts";
import { parseQueueArn } from "./queue-arn.ts";
import { openLocalQueueBacklog } from "./queue-backlog.ts";
import { QUEUE_FILTER_DATA_KEY } from "./queue-event.ts";
import { embeddedQueues } from "./queue-keeper.ts";
import { openLocalQueueSource, QUEUE_KIND } from "./queue-source.ts";
import { SAMPLE } from "./sample.ts";
import { makeQueue, makeStream, openQueueSender, openStreamSender } from "./sender.ts";
import { KIND, openLocalSource } from "./source.ts";
import { ARN_SERVICE, parseStreamArn } from "./stream-arn.ts";
import { LOCK_WAIT_MS } from "./stream-database.ts";
import { embeddedStreams } from "./stream-keeper.ts";

const FILE_ENDPOINT = "LOCAL_FILE";

/** Streams in an embedded SQLite file: for trying things out, for tests, and for a single host's own durable stream. */
export const localConnector: StreamConnector = {
  kind: KIND,
  offers: "stream",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "stream/" }],
  filterDataKey: FILTER_DATA_KEY,
  startingPositions: ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"],
  endpointNames: [FILE_ENDPOINT],
  parameters: localParameters,
  sample: SAMPLE,
  embedded: embeddedStreams(FILE_ENDPOINT),
  eventRecords: { split: splitKinesisEvent, decode: decodeKinesisElement, comparePositions },
  pipeRecords: KINESIS_PIPE_RECORDS,
  async openStream(mapping, { endpoints }) {
    const path = filePath(`The mapping "${mapping.name}" reads a local stream`, endpoints);
    const arn = parseStreamArn(mapping.eventSourceArn ?? "");
    return await whenUnlocked(() => openLocalSource(path, arn));
  },
  async openSender(mapping, { endpoints }, source) {
    const path = filePath(`The mapping "${mapping.name}" fills a local stream`, endpoints);
    const { name } = parseStreamArn(mapping.eventSourceArn ?? "");
    return await whenUnlocked(() => openStreamSender(path, name, source));
  },
  async makeSource(mapping, { endpoints }) {
    const path = filePath(`The mapping "${mapping.name}" reads a local stream`, endpoints);
    const { name } = parseStreamArn(mapping.eventSourceArn ?? "");
    return await whenUnlocked(() => makeStream(path, name));
  },
};

const QUEUE_EVENT_RECORDS = {
  split: splitSqsEvent,
  decode: decodeSqsElement,
  comparePositions: compareSqsPositions,
};

/** Queues in the same file, standard and FIFO (queues §2). */
export const localQueueConnector: QueueConnector = {
  kind: QUEUE_KIND,
  offers: "queue",
  sources: [{ kind: "arn", service: ARN_SERVICE, resourcePrefix: "queue/" }],
  filterDataKey: QUEUE_FILTER_DATA_KEY,
  isFifoQueue: (eventSourceArn) => eventSourceArn.endsWith(".fifo"),
  endpointNames: [FILE_ENDPOINT],
  parameters: localQueueParameters,
  embedded: embeddedQueues(FILE_ENDPOINT),
  eventRecords: QUEUE_EVENT_RECORDS,
  pipeRecords: SQS_PIPE_RECORDS,
  openBacklog(mapping, { endpoints }) {
    const path = filePath(`The mapping "${mapping.name}" reads a local queue`, endpoints);
    return openLocalQueueBacklog(path, parseQueueArn(mapping.eventSourceArn).name);
  },
  openDeadLetters(mapping, { endpoints }) {
    const path = filePath(`The mapping "${mapping.name}" reads a local queue`, endpoints);
    return openLocalDeadLetters(path, parseQueueArn(mapping.eventSourceArn), QUEUE_EVENT_RECORDS);
  },
  async openQueue(mapping, { endpoints }) {
    const path = filePath(`The mapping "${mapping.name}" reads a local queue`, endpoints);
    const arn = parseQueueArn(mapping.eventSourceArn);
    const { batchingWindowMs } = mapping;
    return await whenUnlocked(() => openLocalQueueSource(path, arn, { batchingWindowMs }));
  },
  async openSender(mapping, { endpoints }, source) {
    const path = filePath(`The mapping "${mapping.name}" fills a local queue`, endpoints);
    const { name } = parseQueueArn(mapping.eventSourceArn);
    return await whenUnlocked(() => openQueueSender(path, name, source));
  },
  async makeSource(mapping, { endpoints }, holdMs) {
    const path = filePath(`The mapping "${mapping.name}" reads a local queue`, endpoints);
    const { name } = parseQueueArn(mapping.eventSourceArn);
    return await whenUnlocked(() => makeQueue(path, name, holdMs));
  },
};

/** Another process may just be making the file. */
function whenUnlocked<T>(open: () => T): Promise<T> {
  return new LockWait(LOCK_WAIT_MS).run(open);
}

function filePath(reader: string, endpoints: SourceEndpoints = {}): string {
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
