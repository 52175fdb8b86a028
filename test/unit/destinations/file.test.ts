import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFileDestination } from "../../../src/destinations/file.ts";
import { failureEnvelope } from "../../../src/model/failure-record.ts";
import { sampleFailure } from "../../contract/destination.ts";
import { rejectsWith } from "../../contract/rejects-with.ts";

const NO_ABORT = new AbortController().signal;

test("writes one line per record: the id, then AWS's members in AWS's order, the event as text", async () => {
  using place = temporaryFolder();
  const destination = createFileDestination(place.path);
  await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  const text = readFileSync(place.path, "utf8");
  assert.deepEqual(Object.keys(JSON.parse(text)), [
    "id",
    "requestContext",
    "responseContext",
    "version",
    "payload",
    "timestamp",
    "KinesisBatchInfo",
  ]);
  assert.ok(text.startsWith('{"id":"a",') && text.endsWith("}\n"));
  assert.ok(text.includes('"payload":"{\\"Records\\":[]}"'));
  assert.equal(statSync(place.path).mode & 0o077, 0, "others may read the file");
  await destination.close();
});

test("a line that a crash cut off is ended, and its record is written when it comes again", async () => {
  using place = temporaryFolder();
  const first = createFileDestination(place.path);
  await first.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  await first.close();
  appendFileSync(place.path, '{"id":"b","requestContext":{"requestId":"1"}');
  const second = createFileDestination(place.path);
  await second.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT);
  await second.close();
  assert.deepEqual(place.ids(), ["a", undefined, "b"]);
  // A later life takes the torn line for a whole one: it must not take its id for accepted either.
  appendFileSync(place.path, '{"id":"c","requestContext":\n');
  const third = createFileDestination(place.path);
  await third.deliver(failureEnvelope(sampleFailure("c")), NO_ABORT);
  await third.close();
  assert.deepEqual(place.ids(), ["a", undefined, "b", undefined, "c"]);
});

test("a record that a former life delivered is not written again", async () => {
  using place = temporaryFolder();
  for (let life = 0; life < 3; life++) {
    const destination = createFileDestination(place.path);
    await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
    await destination.deliver(failureEnvelope(sampleFailure(`life-${life}`)), NO_ABORT);
    await destination.close();
  }
  assert.deepEqual(place.ids(), ["a", "life-0", "life-1", "life-2"]);
});

test("destinations of one file, as two mappings have them, keep their lines whole", async () => {
  using place = temporaryFolder();
  const destinations = [createFileDestination(place.path), createFileDestination(place.path)];
  const payload = Buffer.alloc(1024 * 1024, '{"data":"x"}');
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      destinations[index % 2]?.deliver(
        failureEnvelope({ ...sampleFailure(`id-${index}`), payload }),
        NO_ABORT,
      ),
    ),
  );
  assert.equal(new Set(place.ids()).size, 20);
  assert.ok(!place.ids().includes(undefined));
  await Promise.all(destinations.map((destination) => destination.close()));
});

test("a file that is moved away is begun anew", async () => {
  using place = temporaryFolder();
  const destination = createFileDestination(place.path);
  await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  renameSync(place.path, `${place.path}.1`);
  await destination.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT);
  assert.deepEqual(place.ids(), ["b"]);
  await destination.close();
});

test("says what to do when the file cannot be written", async () => {
  using place = temporaryFolder();
  mkdirSync(place.path);
  const isFolder = createFileDestination(place.path);
  const folderError = await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
    isFolder.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
  );
  assert.ok(folderError.message.includes("Name a file, not a folder"), folderError.message);
  const plain = join(place.folder, "plain");
  writeFileSync(plain, "");
  const underFile = createFileDestination(join(plain, "failed.jsonl"));
  await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
    underFile.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
  );
});

test("a full disk is unavailable", async () => {
  // Linux's device that is always full.
  const destination = createFileDestination("/dev/full");
  const error = await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
    destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
  );
  assert.ok(error.message.includes("Free space"), error.message);
});

test("a delivery that is aborted while it waits ends, and others are accepted", async () => {
  using place = temporaryFolder();
  const destination = createFileDestination(place.path);
  const caller = new AbortController();
  const aborted = rejectsWith("ERR_MILLRACE_ABORTED", () =>
    destination.deliver(failureEnvelope(sampleFailure("a")), caller.signal),
  );
  const other = destination.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT);
  caller.abort();
  await Promise.all([aborted, other]);
  assert.ok(place.ids().includes("b"));
  await destination.close();
});

test("closing waits for what was begun, and nothing is accepted afterwards", async () => {
  using place = temporaryFolder();
  const destination = createFileDestination(place.path);
  const pending = destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
  await destination.close();
  assert.deepEqual(place.ids(), ["a"]);
  await pending;
  await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
    destination.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT),
  );
});

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const path = join(folder, "failed.jsonl");
  return {
    folder,
    path,
    /** Of each line; `undefined` for one that is not JSON, as readers of the file are to skip it. */
    ids(): readonly unknown[] {
      const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
      return lines.map((line) => {
        try {
          return JSON.parse(line).id;
        } catch {
          return undefined;
        }
      });
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true });
    },
  };
}
