import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  LambdaServiceException,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { createControlRun, LOCAL_STREAM } from "../integration/api/control-run.ts";
import { startDynamodbLocal } from "./dynamodb-local.ts";
import { useEndpoint } from "./dynamodb-stream-fixture.ts";
import { startPostgres } from "./postgres.ts";

const HANG = { timeout: 180_000 };
const [postgres, dynamodb] = await Promise.all([startPostgres(), startDynamodbLocal()]);
useEndpoint(dynamodb.endpoint);
after(() => Promise.all([postgres.close(), dynamodb.close()]));

const STORES: Readonly<Record<string, () => Promise<string>>> = {
  postgres: () => postgres.createDatabase(),
  dynamodb: async () => `dynamodb:millrace-${randomUUID()}`,
};

for (const [name, createStore] of Object.entries(STORES)) {
  test(
    `what one process's API makes in ${name}, all processes run, change and delete, and a new one finds`,
    HANG,
    async (t) => {
      const run = await createControlRun(t);
      const stream = run.file.openStream("orders");
      const send = (data: string) => stream.append([{ partitionKey: data, data }]);
      const saw = (data: string) => run.seen.some(({ data: all }) => all.includes(data));
      const store = ["--store", await createStore()];
      const first = await run.start(...store);
      const second = await run.start(...store);
      const create = new CreateEventSourceMappingCommand({
        FunctionName: "orders",
        EventSourceArn: LOCAL_STREAM,
        StartingPosition: "TRIM_HORIZON",
      });

      const { UUID } = await first.client.send(create);
      await second.settled(UUID, "Enabled");
      send("one");
      await run.until("the first record", () => saw("one"));
      await assert.rejects(
        second.client.send(create),
        (error) => error instanceof LambdaServiceException && error.name === "ResourceConflictException",
      );
      first.process.kill("SIGKILL");
      await first.process.ended;
      await second.client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false, BatchSize: 7 }));
      // The dead process is waited for until it is taken to be gone.
      await second.settled(UUID, "Disabled");
      send("while disabled");
      const third = await run.start(...store);
      assert.equal((await third.get(UUID)).BatchSize, 7);
      assert.ok(!saw("while disabled"));
      await third.client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
      await run.until("the record of the pause", () => saw("while disabled"));
      await second.settled(UUID, "Enabled");
      await second.client.send(new DeleteEventSourceMappingCommand({ UUID }));
      await run.until("the end of the mapping", async () => (await third.list()).length === 0);
      for (const { process } of [second, third]) {
        process.kill("SIGTERM");
        assert.deepEqual(await process.ended, { status: 0, signal: null });
      }
    },
  );
}
