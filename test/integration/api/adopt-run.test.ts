import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";
import { httpFunction, MillraceProcess, orderFolder, until } from "../cli/millrace-process.ts";

test("an adopted mapping goes on where its manifest's was, is changed by the API, and stays deleted", async (t) => {
  const { url, seen } = await httpFunction(t, (_event, response) => void response.end("null"));
  const { folder, manifest } = orderFolder(t, url, 5);
  const args = ["run", "-f", manifest, "--store", "sqlite:progress.db", "--api", "127.0.0.1:0"];
  await end(new MillraceProcess(t, [...args, "--until-caught-up"], folder));
  assert.equal(seen.length, 5);

  const adopting = new MillraceProcess(t, [...args, "--adopt"], folder);
  const client = await clientOf(t, adopting);
  const list = await client.send(new ListEventSourceMappingsCommand({}));
  const UUID = list.EventSourceMappings?.[0]?.UUID ?? "";
  await settled(client, UUID);
  await client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 3 }));
  await settled(client, UUID);
  const file = openStreamFile(join(folder, "orders.db"));
  t.after(() => file.close());
  file.openStream("orders").append([{ partitionKey: "late", data: "late" }]);
  await until(
    () => seen.length === 6,
    () => `seen: ${seen}; ${adopting.stderr}`,
  );
  assert.equal(new Set(seen).size, 6);
  adopting.kill("SIGTERM");
  await end(adopting);

  const later = new MillraceProcess(t, args, folder);
  const laterClient = await clientOf(t, later);
  const { BatchSize } = await laterClient.send(new GetEventSourceMappingCommand({ UUID }));
  assert.equal(BatchSize, 3);
  await laterClient.send(new DeleteEventSourceMappingCommand({ UUID }));
  const left = async () =>
    (await laterClient.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings;
  await until(
    async () => (await left())?.length === 0,
    () => later.stderr,
  );
  later.kill("SIGTERM");
  await end(later);
  await end(new MillraceProcess(t, [...args, "--adopt", "--until-caught-up"], folder));
  assert.equal(seen.length, 6, "what was deleted does not begin anew");
});

async function clientOf(t: TestContext, run: MillraceProcess): Promise<LambdaClient> {
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new LambdaClient({
    region: "eu-west-1",
    endpoint: await run.apiUrl(),
    credentials,
    maxAttempts: 1,
  });
  t.after(() => client.destroy());
  return client;
}

async function settled(client: LambdaClient, UUID: string): Promise<void> {
  let state: string | undefined;
  const look = async () => {
    state = (await client.send(new GetEventSourceMappingCommand({ UUID }))).State;
    return state === "Enabled";
  };
  await until(look, () => `the mapping is ${state}`);
}

async function end(run: MillraceProcess): Promise<void> {
  const { status } = await run.ended;
  assert.equal(status, 0, run.stderr);
}
