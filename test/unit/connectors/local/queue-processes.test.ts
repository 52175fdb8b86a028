import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openLocalQueueSource } from "../../../../connectors/local/queue-source.ts";
import { parseStreamArn } from "../../../../connectors/local/stream-arn.ts";
import { openStreamFile } from "../../../../connectors/local/stream-file.ts";
import { OLDEST, openedSource, readOnce, temporaryFolder, textsOf } from "./local-fixture.ts";
import { bodiesOf, queueArn, receive } from "./queue-fixture.ts";

const RECEIVER = fileURLToPath(new URL("./queue-receiver.ts", import.meta.url));
const LOG = parseStreamArn("arn:aws:local:eu-west-1:123456789012:stream/log");
const GROUPS = 20;
const MESSAGES_PER_GROUP = 15;

test("processes receive from one FIFO queue: each message once, groups in order and in one process at a time", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  file.createStream({ name: "log", shards: 1 });
  const queue = file.createQueue({ name: "orders.fifo" });
  const children = [startReceiver(place.path, "orders.fifo"), startReceiver(place.path, "orders.fifo")];
  for (let index = 0; index < MESSAGES_PER_GROUP; index++) {
    queue.send(
      Array.from({ length: GROUPS }, (_, group) => ({ body: `${group}-${index}`, groupId: `${group}` })),
    );
  }
  await Promise.all(children.map((child) => child.ended));
  // What the processes did not get to within their last wait is received here.
  await startReceiver(place.path, "orders.fifo").ended;
  const notes = await readLog(place.path);
  assert.equal(notes.length, GROUPS * MESSAGES_PER_GROUP * 2);
  for (let group = 0; group < GROUPS; group++) checkGroup(notes, group);
  assert.deepEqual(queue.depth(), { visible: 0, held: 0, delayed: 0 });
  file.close();
});

test("what a killed process held comes again, in order, when its holds end, and not before", async () => {
  using place = temporaryFolder();
  const skew = { ms: 0 };
  const now = () => Date.now() + skew.ms;
  const file = openStreamFile(place.path, { now });
  file.createStream({ name: "log", shards: 1 });
  const queue = file.createQueue({ name: "orders.fifo" });
  const bodies = ["first", "second", "third"];
  queue.send(bodies.map((body) => ({ body, groupId: "a" })));
  const child = startReceiver(place.path, "orders.fifo", "hang");
  await child.spoke;
  child.kill();
  await child.ended;
  const source = openLocalQueueSource(place.path, queueArn("orders.fifo"), { now });
  assert.equal((await receive(source)).length, 0);
  assert.equal(queue.depth().held, 3);
  skew.ms = 600_000;
  const again = await receive(source);
  assert.deepEqual(bodiesOf(source, again), bodies);
  assert.deepEqual(
    again.map(({ receiveCount }) => receiveCount),
    [2, 2, 2],
  );
  await source.close();
  file.close();
});

/** Of each group: every message begun and ended once, in order, and never in two batches at once. */
function checkGroup(notes: readonly Note[], group: number): void {
  const own = notes.filter(({ body }) => body.startsWith(`${group}-`));
  const bodies = (what: string) => own.filter((note) => note.what === what).map(({ body }) => body);
  const inOrder = Array.from({ length: MESSAGES_PER_GROUP }, (_, index) => `${group}-${index}`);
  assert.deepEqual(bodies("begin"), inOrder);
  assert.deepEqual(bodies("end"), inOrder);
  const open = new Map<string, number>();
  for (const { what, batch } of own) {
    const left = (open.get(batch) ?? 0) + (what === "begin" ? 1 : -1);
    if (left > 0) open.set(batch, left);
    else open.delete(batch);
    assert.ok(open.size <= 1, `two batches of group ${group} at once`);
  }
}

interface Note {
  readonly what: string;
  readonly batch: string;
  readonly body: string;
}

async function readLog(path: string): Promise<readonly Note[]> {
  await using opened = openedSource(path, Date.now, LOG);
  const texts = textsOf(opened.source, await readOnce(opened.source, "shardId-000000000000", OLDEST));
  return texts.map((text) => {
    const [what = "", batch = "", body = ""] = text.split(" ");
    return { what, batch, body };
  });
}

function startReceiver(path: string, name: string, mode = "work") {
  const child = spawn(process.execPath, [RECEIVER, path, name, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code, signal]) => {
    assert.ok(code === 0 || signal === "SIGKILL", `the receiver ended with ${code}`);
  });
  const spoke = Promise.race([once(child.stdout, "data"), ended]);
  return { spoke, ended, kill: () => child.kill("SIGKILL") };
}
