/** Load tests of sources that exist, on servers that do what AWS's do; Kafka's stand in `kafka-load.test.ts`. */
import { test } from "node:test";
import { HANG, loadExistingSource } from "../integration/load-run.ts";
import { useAwsEnvironment } from "./aws-environment.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { createTable, useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startElasticmq } from "./elasticmq.ts";
import { createPlainQueue } from "./plain-queue.ts";

test("a load test of a FIFO queue: every message succeeds, in the order of its group", HANG, async (t) => {
  const server = await startElasticmq();
  t.after(() => server.close());
  useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
  await using queue = await createPlainQueue("fifo", { VisibilityTimeout: "120" });
  await loadExistingSource(t, {
    mapping: `eventSourceArn: ${queue.arn}`,
    // What fails in the function comes back when its visibility ends: too late for this test.
    errors: "throttlePercent: 5",
  });
});

test("a load test of a DynamoDB table: every put succeeds, in the order of its item", HANG, async (t) => {
  const server = await startDynamodbLocal();
  useEndpoint(server.endpoint);
  const table = await createTable();
  t.after(async () => {
    await table.drop();
    await server.close();
  });
  await table.append([{ key: "key-1", data: "from before" }]);
  await loadExistingSource(t, {
    mapping: `eventSourceArn: ${table.streamArn}\nbatchSize: 20\nparallelizationFactor: 2`,
    errors: "throwPercent: 4, partialPercent: 4",
  });
});
