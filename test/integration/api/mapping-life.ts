import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  type LambdaClient,
  LambdaServiceException,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { type ControlRun, createControlRun, type RunningControl } from "./control-run.ts";

/** A source on a real server, which lives as long as its test file. */
export interface LifeSource {
  /** Members of Create without the function. */
  readonly members: Omit<CreateEventSourceMappingCommandInput, "FunctionName">;
  readonly stateTransitionReason: "User action" | "USER_INITIATED";
  /** Each mapping reads all of it; otherwise a message is for one of them. */
  readonly isStream: boolean;
  /** What AWS says of a second mapping of the same function, without its last sentence. */
  readonly existing: string;
  /** What AWS says of a source that is not there; `undefined`: it does not look. */
  readonly missing: { readonly members: object; readonly message: RegExp } | undefined;
  send(data: string): Promise<void>;
  /** Default 20. */
  readonly functionTimeoutSeconds?: number;
}

/** Whose calls lead the life; the SDK's own unless told otherwise. */
export type ConnectLife = (t: TestContext, endpoint: string) => Promise<LambdaClient>;

/** Leads a mapping of the source from Create to Delete, and the function gets what it should, and once. */
export async function leadLife(t: TestContext, source: LifeSource, connect?: ConnectLife): Promise<void> {
  const run = await createControlRun(t, { timeoutSeconds: source.functionTimeoutSeconds ?? 20 });
  const started = await run.start("--checkpoint-interval-ms", "50");
  const control = { ...started, client: (await connect?.(t, started.url)) ?? started.client };
  await source.send("before");
  const { uuid, arn } = await create(run, control, source);
  // On streams a second mapping shows what there is to read while the first one is off.
  const witness = source.isStream ? await createWitness(control, source) : undefined;
  const times = (data: string, fn: string) =>
    run.seen.filter((each) => each.fn === fn && each.data.includes(data)).length;
  const sendPast = async (data: string) => {
    await source.send(data);
    if (witness !== undefined) await run.until(`${data}, elsewhere`, () => times(data, "other") === 1);
    assert.equal(times(data, "orders"), 0, `${data} went to a function that is off`);
  };
  await run.until("what came before the mapping", () => times("before", "orders") === 1);
  await tag(control, arn);
  await listPages(control, source);
  await refuse(control, source, uuid);

  await change(control, { UUID: uuid, BatchSize: 7 }, "Updating", "Enabled");
  await source.send("after the update");
  await run.until("what came after the update", () => times("after the update", "orders") === 1);
  await change(control, { UUID: uuid, Enabled: false }, "Disabling", "Disabled");
  await sendPast("while disabled");
  await change(control, { UUID: uuid, Enabled: true }, "Enabling", "Enabled");
  await run.until("what came while disabled", () => times("while disabled", "orders") === 1);

  const deleted = await control.client.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  assert.equal(deleted.State, "Deleting");
  await gone(run, control, uuid);
  await sendPast("after the end");
  const repeated = run.seen.filter(({ fn }) => fn === "orders").flatMap(({ data }) => data);
  assert.deepEqual(repeated, ["before", "after the update", "while disabled"]);
}

async function create(run: ControlRun, control: RunningControl, source: LifeSource) {
  const created = await control.client.send(
    new CreateEventSourceMappingCommand({ ...source.members, FunctionName: "orders" }),
  );
  const { UUID: uuid = "", EventSourceMappingArn: arn = "" } = created;
  assertAccepted(created.$metadata);
  assert.deepEqual(
    [created.State, created.StateTransitionReason],
    ["Creating", source.stateTransitionReason],
  );
  await control.settled(uuid, "Enabled");
  const got = await control.get(uuid);
  assert.deepEqual([got.EventSourceMappingArn, got.FunctionArn], [arn, created.FunctionArn]);
  assert(run.seen.every(({ fn }) => fn === "orders"));
  return { uuid, arn };
}

async function createWitness(control: RunningControl, source: LifeSource): Promise<string | undefined> {
  const command = new CreateEventSourceMappingCommand({ ...source.members, FunctionName: "other" });
  const { UUID } = await control.client.send(command);
  await control.settled(UUID, "Enabled");
  return UUID;
}

async function tag({ client }: RunningControl, Resource: string): Promise<void> {
  await client.send(new TagResourceCommand({ Resource, Tags: { team: "one", stage: "test" } }));
  await client.send(new UntagResourceCommand({ Resource, TagKeys: ["team"] }));
  assert.deepEqual((await client.send(new ListTagsCommand({ Resource }))).Tags, { stage: "test" });
}

/** With two mappings more, page by page. */
async function listPages(control: RunningControl, { members }: LifeSource): Promise<void> {
  const { client } = control;
  const before = await control.list();
  const added: (string | undefined)[] = [];
  for (const FunctionName of ["orders:1", "orders:2"]) {
    const command = new CreateEventSourceMappingCommand({ ...members, FunctionName, Enabled: false });
    const { UUID } = await client.send(command);
    await control.settled(UUID, "Disabled");
    added.push(UUID);
  }
  const seen: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const page = await client.send(
      new ListEventSourceMappingsCommand({ MaxItems: 2, ...(Marker === undefined ? {} : { Marker }) }),
    );
    assert((page.EventSourceMappings?.length ?? 0) <= 2);
    seen.push(...(page.EventSourceMappings ?? []).map(({ UUID }) => UUID));
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  assert.deepEqual(seen.toSorted(), [...before.map(({ UUID }) => UUID), ...added].toSorted());
  const filtered = await client.send(new ListEventSourceMappingsCommand({ FunctionName: "orders:2" }));
  assert.deepEqual(
    filtered.EventSourceMappings?.map(({ UUID }) => UUID),
    added.slice(1),
  );
  for (const UUID of added) await client.send(new DeleteEventSourceMappingCommand({ UUID }));
}

async function refuse({ client }: RunningControl, source: LifeSource, uuid: string): Promise<void> {
  const { members, existing, missing } = source;
  const sending = (input: object) =>
    client.send(new CreateEventSourceMappingCommand({ ...members, FunctionName: "orders", ...input }));
  const conflict = `${existing} Please update or delete the existing mapping with UUID ${uuid}`;
  await rejects(sending({}), "ResourceConflictException", conflict);
  await rejects(
    sending({ FunctionName: "nobody" }),
    "InvalidParameterValueException",
    "Function does not exist",
  );
  await rejects(sending({ BatchSize: 10_001 }), "ValidationException", /^1 validation error detected: /);
  const pattern = { FunctionName: "orders:3", FilterCriteria: { Filters: [{ Pattern: "{" }] } };
  await rejects(sending(pattern), "InvalidParameterValueException", "Invalid filter pattern definition.");
  if (missing !== undefined) {
    await rejects(sending(missing.members), "InvalidParameterValueException", missing.message);
  }
  const update = new UpdateEventSourceMappingCommand({ UUID: uuid, BatchSize: 0 });
  await rejects(client.send(update), "ValidationException", /^1 validation error detected: /);
  const nobody = { UUID: "00000000-0000-4000-8000-000000000000" };
  for (const command of [
    new UpdateEventSourceMappingCommand(nobody),
    new DeleteEventSourceMappingCommand(nobody),
  ]) {
    const sent =
      command instanceof UpdateEventSourceMappingCommand ? client.send(command) : client.send(command);
    await rejects(sent, "ResourceNotFoundException", "The resource you requested does not exist.");
  }
}

export async function rejects(sent: Promise<unknown>, name: string, message: string | RegExp): Promise<void> {
  await assert.rejects(sent, (error) => {
    assert(error instanceof LambdaServiceException, String(error));
    assert.equal(error.name, name, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

async function change(
  control: RunningControl,
  input: UpdateEventSourceMappingCommand["input"],
  during: string,
  then: string,
): Promise<void> {
  const updated = await control.client.send(new UpdateEventSourceMappingCommand(input));
  assertAccepted(updated.$metadata);
  assert.equal(updated.State, during);
  await control.settled(input.UUID, then);
}

/** The command line does not show the status. */
function assertAccepted({ httpStatusCode = 202 }: { readonly httpStatusCode?: number | undefined }): void {
  assert.equal(httpStatusCode, 202);
}

async function gone(run: ControlRun, control: RunningControl, uuid: string): Promise<void> {
  await run.until("the end of the mapping", async () => {
    const all = await control.list();
    return all.every(({ UUID }) => UUID !== uuid);
  });
  await rejects(control.get(uuid), "ResourceNotFoundException", "The resource you requested does not exist.");
}
