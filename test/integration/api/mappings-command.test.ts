import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceProcess } from "../cli/millrace-process.ts";
import { createControlRun, LOCAL_QUEUE, LOCAL_STREAM, type RunningControl } from "./control-run.ts";

/** Runs `millrace mappings …` on a running millrace, as a process of its own. */
function commandLine(t: Parameters<typeof createControlRun>[0], folder: string, { url }: RunningControl) {
  return async (...words: readonly string[]) => {
    const command = new MillraceProcess(t, ["mappings", ...words, "--api", url], folder);
    const { status } = await command.ended;
    return { status, stdout: command.stdout, stderr: command.stderr };
  };
}

test("the command line leads a mapping through its life, and explains a key that is blocked", async (t) => {
  const run = await createControlRun(t);
  const stream = run.file.openStream("orders");
  const control = await run.start();
  const mappings = commandLine(t, run.folder, control);
  const created = await mappings(
    "create",
    ...[
      "--event-source-arn",
      LOCAL_STREAM,
      "--function-name",
      "orders",
      "--starting-position",
      "TRIM_HORIZON",
    ],
    ...["--batch-size", "1", "--filter", '{"partitionKey":[{"anything-but":"noise"}]}', "--json"],
  );
  assert.equal(created.status, 0, created.stderr);
  const uuid = JSON.parse(created.stdout).UUID;
  await control.settled(uuid, "Enabled");
  const listed = await mappings("list");
  assert.match(
    listed.stdout,
    new RegExp(`^${uuid}  Enabled  orders +${LOCAL_STREAM}  No records processed$`, "m"),
  );

  const [poison] = stream.append([{ partitionKey: "p", data: "poison" }]);
  stream.append([
    { partitionKey: "p", data: "behind" },
    { partitionKey: "noise", data: "noise" },
  ]);
  assert(poison !== undefined);
  const isTried = () => run.seen.filter(({ data }) => data.includes("poison")).length >= 2;
  await run.until("a second attempt", isTried);
  await run.until("the retry's wait", async () => {
    const { stdout } = await mappings("explain", uuid, poison.shardId);
    return /waits for its next attempt/.test(stdout);
  });
  const { stdout: text } = await mappings("explain", uuid, poison.shardId);
  const position = poison.position;
  assert.match(text, new RegExp(`^${uuid}: Enabled, last result: PROBLEM: Function call failed$`, "m"));
  assert.match(text, /^ {2}function orders: \d of at most \d+ invocations run/m);
  assert.match(text, /^ {2}since this process began: 3 read, 1 dropped by the filter/m);
  assert.match(text, /^ {2}owner: .+ \(this process\), epoch 1$/m);
  assert.match(
    text,
    new RegExp(
      `lane 0: BLOCKED: batch of 1 records from ${position} .*last: Poisoned.*; [12] records wait behind it$`,
      "m",
    ),
  );
  assert(!text.includes("behind\n") && !text.includes("noise"), `content is shown: ${text}`);
  const json = JSON.parse((await mappings("explain", uuid, "--json")).stdout);
  const blocked = json.shards.find(({ shardId }: { shardId: string }) => shardId === poison.shardId);
  const { batch } = blocked.here.lanes[0];
  assert.deepEqual([batch.firstRecord, batch.lastProblem, batch.records], [position, "Poisoned", 1]);
  assert(batch.attempts >= 2 && batch.failures >= 2, JSON.stringify(batch));
  assert.equal(json.shards.length, 2);
  const nobody = await mappings("explain", uuid, "shard-of-another");
  assert.deepEqual([nobody.status, nobody.stdout], [2, ""]);

  const disabled = await mappings("disable", uuid);
  assert.match(disabled.stdout, /^State +Disabling$/m);
  await control.settled(uuid, "Disabled");
  assert.match(
    (await mappings("explain", uuid)).stdout,
    /: Disabled, .*\n.*\n {2}It does not run in this process\.\n/,
  );
  const updated = await mappings("update", uuid, "--maximum-retry-attempts", "0");
  assert.match(updated.stdout, /^MaximumRetryAttempts +0$/m);
  await control.settled(uuid, "Disabled");
  await mappings("enable", uuid);
  await run.until("what was behind the poison", () => run.seen.some(({ data }) => data.includes("behind")));
  await control.settled(uuid, "Enabled");
  const deleted = await mappings("delete", uuid);
  assert.match(deleted.stdout, /^State +Deleting$/m);
  await run.until("the mapping's end", async () => (await control.list()).length === 0);
  const gone = await mappings("get", uuid);
  assert.deepEqual(
    [gone.status, gone.stderr],
    [
      2,
      "millrace: ResourceNotFoundException: The resource you requested does not exist. See millrace mappings list.\n",
    ],
  );
});

test("explains a queue's group that waits for a message that failed", async (t) => {
  const run = await createControlRun(t);
  run.file.createQueue({ name: "fifo.fifo", fifo: true, visibilityMs: 25_000 });
  const control = await run.start();
  const mappings = commandLine(t, run.folder, control);
  const arn = LOCAL_QUEUE.replace("jobs", "fifo.fifo");
  const created = await mappings("create", "--event-source-arn", arn, "--function-name", "orders", "--json");
  assert.equal(created.status, 0, created.stderr);
  const uuid = JSON.parse(created.stdout).UUID;
  await control.settled(uuid, "Enabled");
  run.file.openQueue("fifo.fifo").send([{ body: "poison", groupId: "g", deduplicationId: "1" }]);
  await run.until("the poison", () => run.seen.some(({ data }) => data.includes("poison")));
  let text = "";
  await run.until("the failed message", async () => {
    text = (await mappings("explain", uuid, "g")).stdout;
    return text.includes("failed at its delivery");
  });
  assert.match(
    text,
    /^ {2}message \S+ of group g, which waits for it, failed at its delivery 1: Poisoned; it comes again in [\d.]+ s$/m,
  );
  const other = await mappings("explain", uuid, "h");
  assert.match(other.stdout, /^ {2}Nothing of h is in the hands of this process\.$/m);
});
