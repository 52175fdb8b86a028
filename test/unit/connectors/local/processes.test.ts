import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStreamFile } from "../../../../connectors/local/stream-file.ts";
import type { StreamSource } from "../../../../src/ports/stream-source.ts";
import { NO_ABORT, OLDEST, openedSource, temporaryFolder, textsOf } from "./local-fixture.ts";

const APPENDER = fileURLToPath(new URL("./appender.ts", import.meta.url));

test("processes append to one file and read it at once: nothing is lost, each key is in order", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  const children = ["left", "right"].map((key) => startAppender(place.path, key, 60));
  await Promise.all(children.map((child) => child.begun));
  await using opened = openedSource(place.path);
  const seen = new Map<string, string[]>();
  const reader = await opened.source.openReader("shardId-000000000000", OLDEST, NO_ABORT);
  for (let index = 0; index < 600; index++) {
    stream.append([{ partitionKey: "own", data: String(index) }]);
    if (index % 10 === 0) await collect(opened.source, reader, seen);
  }
  await Promise.all(children.map((child) => child.ended));
  await collect(opened.source, reader, seen);
  const inOrder = Array.from({ length: 600 }, (_, index) => String(index));
  for (const key of ["left", "right", "own"]) assert.deepEqual(seen.get(key), inOrder, key);
  file.close();
});

test("a process that is killed while it appends leaves whole batches, and others go on", async () => {
  using place = temporaryFolder();
  const file = openStreamFile(place.path);
  const stream = file.createStream({ name: "orders", shards: 1 });
  const child = startAppender(place.path, "killed", 1_000_000);
  await child.begun;
  child.kill();
  await child.ended;
  stream.append([{ partitionKey: "own", data: "later" }]);
  await using opened = openedSource(place.path);
  const seen = new Map<string, string[]>();
  const reader = await opened.source.openReader("shardId-000000000000", OLDEST, NO_ABORT);
  await collect(opened.source, reader, seen);
  const killed = seen.get("killed") ?? [];
  assert.ok(killed.length > 0 && killed.length % 10 === 0, `${killed.length} records`);
  assert.deepEqual(seen.get("own"), ["later"]);
  file.close();
});

function startAppender(path: string, key: string, batches: number) {
  const child = spawn(process.execPath, [APPENDER, path, key, String(batches)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code, signal]) => {
    assert.ok(code === 0 || signal === "SIGKILL", `the appender ended with ${code}`);
  });
  // An appender that dies before it begins ends the wait as well.
  const begun = Promise.race([once(child.stdout, "data"), ended]);
  return { begun, ended, kill: () => child.kill("SIGKILL") };
}

async function collect(
  source: StreamSource,
  reader: Awaited<ReturnType<StreamSource["openReader"]>>,
  seen: Map<string, string[]>,
): Promise<void> {
  for (;;) {
    const read = await reader.read(10_000, 64 * 1024 * 1024, NO_ABORT);
    const texts = textsOf(source, read);
    for (const [index, { key = "" }] of read.records.entries()) {
      const list = seen.get(key) ?? [];
      list.push(texts[index] ?? "");
      seen.set(key, list);
    }
    if (read.lagMs === 0) return;
  }
}
