import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AsyncQueue } from "../../src/ports/async-queue.ts";
import { createMemoryCellStore } from "../../src/stores/memory-cells.ts";
import { openSqsAsyncQueue } from "../../src/stores/sqs-async-queue.ts";
import { describeAsyncQueueContract } from "../contract/async-queue.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue } from "./plain-queue.ts";

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

describeAsyncQueueContract("SQS on ElasticMQ", {
  lacks: ["looks", "order"],
  isConcurrent: true,
  writeFaults: [],
  async createQueue() {
    const plain = await createPlainQueue("standard");
    const cells = createMemoryCellStore();
    const [, , , region = "", account = "", name = ""] = plain.arn.split(":");
    const opened: AsyncQueue[] = [];
    return {
      async open() {
        const queue = openSqsAsyncQueue({ arn: plain.arn, region, account, name }, cells);
        opened.push(queue);
        return queue;
      },
      pass: (ms) => sleep(ms),
      async [Symbol.asyncDispose]() {
        await Promise.all(opened.map((queue) => queue.close()));
        await plain[Symbol.asyncDispose]();
      },
    };
  },
});
