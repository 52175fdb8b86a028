import assert from "node:assert/strict";
import { test } from "node:test";
import { keyHashOf, rowIdOf } from "../../../src/failures/failure-names.ts";
import { IndexWriter } from "../../../src/failures/index-writer.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import type { FailureIndex, FailureRow } from "../../../src/ports/failure-index.ts";
import { createMemoryFailureIndex } from "../../../src/stores/memory-failures.ts";
import { sampleFailure } from "../../contract/destination.ts";
import { ManualClock } from "../engine/stream/manual-clock.ts";

const ITEMS = [
  { position: "1", key: "ada" },
  { position: "2", key: undefined },
];

test("a failure that its destination has accepted is listed, with hashes of its keys", async () => {
  const { writer, index } = world();
  const failure = delivered("a");
  const error = { id: "e7f3", errorType: "TypeError", message: "no price", stack: "TypeError: no price" };
  writer.delivered({ ...failure, record: { ...failure.record, error } });
  await writer.close();
  const [row] = await index.list({ max: 9 });
  assert.deepEqual(row, {
    id: rowIdOf("a"),
    mapping: sampleFailure("a").mappingUuid,
    condition: "RetryAttemptsExhausted",
    error: { id: "e7f3", type: "TypeError", message: "no price", stack: "TypeError: no price" },
    shardId: "shardId-000000000001",
    items: [
      { position: "1", keyHash: keyHashOf("ada") },
      { position: "2", keyHash: undefined },
    ],
    count: 500,
    bytes: 14,
    atMs: sampleFailure("a").timestampMs,
    where: { destination: "file:/failed.jsonl", at: "12" },
    state: "open",
  });
  assert.doesNotMatch(JSON.stringify(row), /ada/);
});

test("failures of one turn go out in one write", async () => {
  const { writer, writes } = world();
  for (const id of ["a", "b", "c"]) writer.delivered(delivered(id));
  await writer.close();
  assert.deepEqual(
    writes.map((rows) => rows.length),
    [3],
  );
});

test("a store that comes back has what was given up meanwhile", async () => {
  const { writer, index, time, fail, counted } = world();
  fail.next = 2;
  writer.delivered(delivered("a"));
  await time.advance(10_000);
  assert.equal((await index.list({ max: 9 })).length, 1);
  assert.deepEqual(counted, []);
});

test("what a store does not take is counted and told once for each mapping, and delays nobody", async () => {
  const { writer, index, time, fail, counted, lines } = world();
  fail.next = Number.POSITIVE_INFINITY;
  for (const id of ["a", "b"]) writer.delivered(delivered(id));
  await time.advance(60_000);
  assert.deepEqual(counted, [["failure_index_errors", "orders", 2]]);
  assert.match(lines.join(), /millrace failures reindex/);
  assert.deepEqual(await index.list({ max: 9 }), []);
  await writer.close();
});

test("of more failures than may wait the newest are not listed, and counted", async () => {
  const { writer, fail, counted } = world();
  fail.next = 1;
  for (let at = 0; at < 1_003; at++) writer.delivered(delivered(`id-${at}`));
  assert.deepEqual(
    counted.map(([, , amount]) => amount),
    [1, 1, 1],
  );
  await writer.close();
});

function delivered(id: string) {
  const record = sampleFailure(id);
  return {
    mapping: "orders",
    record,
    items: ITEMS,
    destination: "file:/failed.jsonl",
    at: "12",
  };
}

function world() {
  const time = new ManualClock();
  const index = createMemoryFailureIndex();
  const writes: (readonly FailureRow[])[] = [];
  const counted: [string, string, number][] = [];
  const lines: string[] = [];
  const fail = { next: 0 };
  const failing: FailureIndex = {
    list: (query) => index.list(query),
    get: (id) => index.get(id),
    mark: (ids, change) => index.mark(ids, change),
    close: () => index.close(),
    async add(rows) {
      if (fail.next > 0) {
        fail.next -= 1;
        throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "The store is away.");
      }
      writes.push(rows);
      await index.add(rows);
    },
  };
  const telemetry = {
    count: (name: string, mapping: string, amount: number) => void counted.push([name, mapping, amount]),
    log: (_level: string, message: string) => void lines.push(message),
  };
  const writer = new IndexWriter({ index: failing, clock: time, telemetry });
  return { writer, index, time, fail, writes, counted, lines };
}
