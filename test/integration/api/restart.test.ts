import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { createControlRun, LOCAL_STREAM, type RunningControl } from "./control-run.ts";

/** What holds states in transition, invocation and drain, must not end before the kill. */
const LONG_SECONDS = 600;

async function create({ client }: RunningControl, FunctionName: string, Enabled = true): Promise<string> {
  const { UUID = "" } = await client.send(
    new CreateEventSourceMappingCommand({
      FunctionName,
      EventSourceArn: LOCAL_STREAM,
      StartingPosition: "TRIM_HORIZON",
      Enabled,
    }),
  );
  return UUID;
}

async function states(control: RunningControl): Promise<Record<string, string | undefined>> {
  const all = await control.list();
  return Object.fromEntries(all.map(({ FunctionArn = "", State }) => [FunctionArn.split(":").at(-1), State]));
}

test("killed in every state at once and started again: all mappings settle, none is lost, and records go on", async (t) => {
  const run = await createControlRun(t, { timeoutSeconds: LONG_SECONDS });
  const stream = run.file.openStream("orders");
  const killed = await run.start("--drain-seconds", String(LONG_SECONDS));
  const { client } = killed;
  const names = ["disabling", "updating", "deleting", "enabling", "kept", "off"];
  const uuids: Record<string, string> = {};
  for (const name of names) {
    uuids[name] = await create(killed, `orders:${name}`, name !== "enabling" && name !== "off");
  }
  for (const name of names) {
    await killed.settled(uuids[name], name === "enabling" || name === "off" ? "Disabled" : "Enabled");
  }
  // While an invocation goes on nothing that was running can settle, and nothing settles before it.
  stream.append([{ partitionKey: "hold", data: "hold" }]);
  await run.until(
    "the record that is held",
    () => run.seen.filter(({ data }) => data.includes("hold")).length === 4,
  );
  const update = (name: string, input: object) =>
    client.send(new UpdateEventSourceMappingCommand({ UUID: uuids[name], ...input }));
  await update("disabling", { Enabled: false });
  await update("updating", { BatchSize: 7 });
  await client.send(new DeleteEventSourceMappingCommand({ UUID: uuids["deleting"] }));
  await update("enabling", { Enabled: true });
  uuids["creating"] = await create(killed, "orders:creating");
  assert.deepEqual(await states(killed), {
    creating: "Creating",
    deleting: "Deleting",
    disabling: "Disabling",
    enabling: "Enabling",
    kept: "Enabled",
    off: "Disabled",
    updating: "Updating",
  });
  killed.process.kill("SIGKILL");
  await killed.process.ended;
  run.release();

  const control = await run.start();
  await run.until("all to settle", async () => {
    const now = Object.values(await states(control));
    return now.length === 6 && now.every((state) => state === "Enabled" || state === "Disabled");
  });
  assert.deepEqual(await states(control), {
    creating: "Enabled",
    disabling: "Disabled",
    enabling: "Enabled",
    kept: "Enabled",
    off: "Disabled",
    updating: "Enabled",
  });
  assert.equal((await control.get(uuids["updating"])).BatchSize, 7);
  const before = run.seen.length;
  stream.append([{ partitionKey: "later", data: "later" }]);
  await run.until("a later record at all that are on", () => {
    return run.seen.slice(before).filter(({ data }) => data.includes("later")).length === 4;
  });
});
