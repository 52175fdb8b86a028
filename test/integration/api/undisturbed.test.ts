import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { createControlRun, LOCAL_STREAM } from "./control-run.ts";

test("a mapping goes on reading and repeats nothing while another one is changed, held up, deleted and made anew", async (t) => {
  const run = await createControlRun(t);
  const stream = run.file.openStream("orders");
  const control = await run.start("--checkpoint-interval-ms", "20");
  const { client } = control;
  const create = async (FunctionName: string) => {
    const members = { EventSourceArn: LOCAL_STREAM, StartingPosition: "TRIM_HORIZON" } as const;
    const { UUID } = await client.send(new CreateEventSourceMappingCommand({ ...members, FunctionName }));
    await control.settled(UUID, "Enabled");
    return UUID;
  };
  const sent: string[] = [];
  const gotten = () => run.seen.filter(({ fn }) => fn === "other").flatMap(({ data }) => data);
  /** Appends a record and waits until the mapping that nobody touches has it. */
  const pulse = async (data = `record-${sent.length}`) => {
    stream.append([{ partitionKey: "key", data }]);
    sent.push(data);
    await run.until(data, () => gotten().includes(data));
  };
  await create("other");
  const changed = await create("orders");
  const update = async (input: object, during: string, then: string) => {
    await pulse();
    const { State } = await client.send(new UpdateEventSourceMappingCommand({ UUID: changed, ...input }));
    assert.equal(State, during);
    await pulse();
    await control.settled(changed, then);
    await pulse();
  };

  await update({ BatchSize: 1 }, "Updating", "Enabled");
  await update({ ParallelizationFactor: 3 }, "Updating", "Enabled");
  await update({ Enabled: false }, "Disabling", "Disabled");
  await update({ Enabled: true }, "Enabling", "Enabled");
  await run.until("the changed mapping to catch up", () =>
    run.seen.some(({ fn, data }) => fn === "orders" && data.includes(sent.at(-1) ?? "")),
  );
  stream.append([{ partitionKey: "hold", data: "hold" }]);
  await run.until("both to be held", () => run.seen.filter(({ data }) => data.includes("hold")).length === 2);
  run.release();
  await client.send(new DeleteEventSourceMappingCommand({ UUID: changed }));
  await pulse();
  await run.until("the end of the mapping", async () => (await control.list()).length === 1);
  await pulse();
  await create("orders");
  await pulse();
  assert.deepEqual(
    gotten().filter((data) => data !== "hold"),
    sent,
  );
});
