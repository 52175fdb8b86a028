import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { provesSingleDelivery } from "../integration/slow-queue-function.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue } from "./plain-queue.ts";

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

const TIMEOUT_SECONDS = 3;
const TWO_AT_ONCE = "scalingConfig: { maximumConcurrency: 2 }";

interface Case {
  readonly name: string;
  readonly kind: "standard" | "fifo";
  /** Default: the function's time-out, the least that there may be. */
  readonly visibilitySeconds?: number;
  readonly bodies: readonly string[];
  readonly settings: readonly string[];
  /** Default: 0. */
  readonly sendAfterMs?: number;
}

const CASES: readonly Case[] = [
  {
    name: "of a standard queue that wait for longer than the visibility time-out",
    kind: "standard",
    bodies: ids("m", 12),
    settings: ["batchSize: 1", TWO_AT_ONCE],
  },
  {
    name: "of a FIFO queue, one after the other of each group",
    kind: "fifo",
    bodies: [...ids("a", 5), ...ids("b", 5)],
    settings: ["batchSize: 1", TWO_AT_ONCE],
  },
  {
    name: "that wait for a batching window of more than the visibility time-out",
    kind: "standard",
    bodies: ids("m", 30),
    settings: ["batchSize: 100", "maximumBatchingWindowInSeconds: 5", TWO_AT_ONCE],
  },
  {
    // Window and time-out fit into the visibility time-out, so that the holds are no longer (queues §2.1).
    name: "that wait behind batches with a window for longer than the visibility time-out",
    kind: "standard",
    visibilitySeconds: TIMEOUT_SECONDS + 1,
    bodies: ids("m", 14),
    settings: ["batchSize: 2", "maximumBatchingWindowInSeconds: 1", TWO_AT_ONCE],
  },
  {
    name: "that come when the receive has waited longer than the visibility time-out",
    kind: "standard",
    bodies: ids("m", 2),
    settings: ["batchSize: 1"],
    sendAfterMs: (TIMEOUT_SECONDS + 2) * 1_000,
  },
];

describe("a function that takes most of its time sees once", { concurrency: true, timeout: 120_000 }, () => {
  for (const {
    name,
    kind,
    visibilitySeconds = TIMEOUT_SECONDS,
    bodies,
    settings,
    sendAfterMs = 0,
  } of CASES) {
    test(`messages ${name}`, async (t) => {
      await using queue = await createPlainQueue(kind, { VisibilityTimeout: String(visibilitySeconds) });
      await provesSingleDelivery(t, {
        eventSourceArn: queue.arn,
        timeoutSeconds: TIMEOUT_SECONDS,
        share: 0.8,
        bodies,
        settings,
        async send() {
          await sleep(sendAfterMs);
          await queue.send(...bodies);
        },
        depth: () => queue.depth(),
      });
    });
  }
});

function ids(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
