import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { FailureIndex, FailureRow } from "../../src/ports/failure-index.ts";

export interface FailureIndexFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<FailureIndex>;
}

export interface FailureIndexHarness {
  /** An empty index of its own for one test, which keeps `rowsMax` rows. */
  createIndex(rowsMax: number): Promise<FailureIndexFixture>;
  /** Of an index that can be without its store: makes a write fail. */
  readonly writeFaults?: readonly {
    readonly name: string;
    createIndex(): Promise<FailureIndexFixture & { begin(): Promise<void>; end(): Promise<void> }>;
  }[];
}

const ROWS_MAX = 50;

/** The laws of `src/ports/failure-index.ts` as named behaviours, which every adapter runs. */
export function describeFailureIndexContract(name: string, harness: FailureIndexHarness): void {
  describe(`${name} keeps the laws of a list of failures`, { timeout: 120_000 }, () => {
    describeRows(harness);
    describeLists(harness);
    describeMarks(harness);
    describeFaults(harness);
  });
}

function describeRows(harness: FailureIndexHarness): void {
  behaviour(harness, "is empty at first", async (index) => {
    assert.deepEqual(await index.list({ max: 10 }), []);
    assert.equal(await index.get("a"), undefined);
    assert.deepEqual(await index.mark(["a"], { from: ["open"], state: "done", redriveId: undefined }), []);
    await index.add([]);
  });

  behaviour(harness, "reads what was written, also through another handle", async (index, open) => {
    const rows = [WHOLE, BARE];
    await index.add(rows);
    const other = await open();
    assert.deepEqual(await other.list({ max: 10 }), rows);
    assert.deepEqual(await other.get(WHOLE.id), WHOLE);
    assert.deepEqual(await other.get(BARE.id), BARE);
  });

  behaviour(harness, "leaves a row that is there as it is", async (index) => {
    await index.add([WHOLE]);
    await index.mark([WHOLE.id], { from: ["open"], state: "done", redriveId: "r1" });
    await index.add([{ ...WHOLE, shardId: "another" }, BARE]);
    assert.deepEqual(await index.get(WHOLE.id), { ...WHOLE, state: "done", redriveId: "r1" });
    assert.deepEqual(await index.get(BARE.id), BARE);
  });

  behaviour(harness, "keeps as many rows as it may, and lets the oldest go", async (index) => {
    const rows = Array.from({ length: ROWS_MAX + 20 }, (_, at) => rowAt(at));
    for (const row of rows.slice(0, ROWS_MAX).toReversed()) await index.add([row]);
    assert.equal((await index.list({ max: 1_000 })).length, ROWS_MAX);
    await index.add(rows.slice(ROWS_MAX));
    assert.deepEqual(await index.list({ max: 1_000 }), rows.slice(20));
    await index.add([rowAt(-1)]);
    assert.deepEqual(await index.get(rowAt(-1).id), undefined, "it is the oldest itself");
  });

  behaviour(harness, "keeps a row with as many items as there may be", async (index) => {
    const items = Array.from({ length: 10_000 }, (_, at) => {
      return { position: String(at).padStart(56, "4"), keyHash: at % 3 === 0 ? undefined : `key-${at}` };
    });
    await index.add([{ ...WHOLE, items }]);
    assert.deepEqual((await index.get(WHOLE.id))?.items, items);
  });
}

function describeLists(harness: FailureIndexHarness): void {
  behaviour(harness, "lists by time, then by id, page after page", async (index) => {
    const rows = [rowAt(1), { ...rowAt(2), id: "z" }, { ...rowAt(2), id: "Z" }, rowAt(3), rowAt(5)];
    await index.add(rows.toReversed());
    const expected = ["f1", "Z", "z", "f3", "f5"];
    const ids: string[] = [];
    for (let after: FailureRow | undefined; ; ) {
      const page = await index.list({ after, max: 2 });
      ids.push(...page.map(({ id }) => id));
      after = page.at(-1);
      if (after === undefined) break;
      assert.ok(page.length <= 2);
    }
    assert.deepEqual(ids, expected);
  });

  behaviour(harness, "lists those of a mapping, of a time and of a redrive", async (index) => {
    const rows = [1, 2, 3, 4].map((at) => ({ ...rowAt(at), mapping: at % 2 === 0 ? "even" : "odd" }));
    await index.add(rows);
    await index.mark(["f1", "f2"], { from: ["open"], state: "redriving", redriveId: "r1" });
    const ids = async (query: Parameters<FailureIndex["list"]>[0]) =>
      (await index.list(query)).map(({ id }) => id);
    assert.deepEqual(await ids({ mapping: "even", max: 9 }), ["f2", "f4"]);
    assert.deepEqual(await ids({ mapping: "nobody", max: 9 }), []);
    assert.deepEqual(await ids({ sinceMs: 2, untilMs: 4, max: 9 }), ["f2", "f3"]);
    assert.deepEqual(await ids({ mapping: "odd", sinceMs: 2, max: 9 }), ["f3"]);
    assert.deepEqual(await ids({ redriveId: "r1", max: 9 }), ["f1", "f2"]);
    assert.deepEqual(await ids({ redriveId: "r1", mapping: "even", max: 9 }), ["f2"]);
    assert.deepEqual(await ids({ mapping: "odd", after: { atMs: 1, id: "f1" }, max: 9 }), ["f3"]);
  });
}

function describeMarks(harness: FailureIndexHarness): void {
  behaviour(harness, "marks only what is in a state that was named", async (index) => {
    await index.add([rowAt(1), rowAt(2), rowAt(3)]);
    const take = { from: ["open", "uncertain"], state: "redriving" } as const;
    assert.deepEqual(await index.mark(["f1"], { ...take, redriveId: "r1" }), ["f1"]);
    const second = await index.mark(["f1", "f2", "f9", "f2"], { ...take, redriveId: "r2" });
    assert.deepEqual(second, ["f2"], "f1 is the first redrive's");
    assert.deepEqual(await index.get("f1"), { ...rowAt(1), state: "redriving", redriveId: "r1" });
    assert.deepEqual(await index.get("f3"), rowAt(3));
  });

  behaviour(harness, "marks only what the redrive has that was named", async (index) => {
    await index.add([rowAt(1), rowAt(2)]);
    await index.mark(["f1"], { from: ["open"], state: "redriving", redriveId: "r1" });
    await index.mark(["f2"], { from: ["open"], state: "redriving", redriveId: "r2" });
    const end = { from: ["redriving"], ofRedrive: "r1", state: "open", redriveId: undefined } as const;
    assert.deepEqual(await index.mark(["f1", "f2"], end), ["f1"]);
    assert.deepEqual(await index.get("f1"), rowAt(1));
    assert.equal((await index.get("f2"))?.redriveId, "r2");
  });

  behaviour(harness, "gives each row to one of two that mark at once", async (index, open) => {
    const ids = Array.from({ length: 30 }, (_, at) => rowAt(at).id);
    await index.add(ids.map((_, at) => rowAt(at)));
    const handles = await Promise.all([open(), open(), open()]);
    const taken = await Promise.all(
      handles.map((handle, at) =>
        handle.mark(ids, { from: ["open"], state: "redriving", redriveId: `r${at}` }),
      ),
    );
    assert.deepEqual(taken.flat().sort(), ids.toSorted());
  });
}

function describeFaults({ writeFaults = [] }: FailureIndexHarness): void {
  for (const { name, createIndex } of writeFaults) {
    test(`on a ${name} a row is refused, and taken afterwards`, async () => {
      await using fixture = await createIndex();
      const index = await fixture.open();
      await index.add([rowAt(1)]);
      await fixture.begin();
      await assert.rejects(index.add([rowAt(2)]), (error) =>
        hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE"),
      );
      await fixture.end();
      await index.add([rowAt(2)]);
      assert.deepEqual(await index.list({ max: 9 }), [rowAt(1), rowAt(2)]);
    });
  }
}

const BARE: FailureRow = {
  id: "bare",
  mapping: "22222222-2222-4222-8222-222222222222",
  condition: "RecordAgeExceeded",
  shardId: "shard-b",
  items: [],
  count: 7,
  bytes: 0,
  atMs: 1_700_000_000_001,
  where: { destination: "somewhere" },
  state: "open",
};

const WHOLE: FailureRow = {
  id: "whole",
  mapping: "11111111-1111-4111-8111-111111111111",
  condition: "RetryAttemptsExhausted",
  error: { id: "e7f3", type: "TypeError", message: 'no "price"\n\u0000🜚', stack: "TypeError\n    at price" },
  shardId: "shardId-000000000001",
  items: [
    { position: "49601189658422359378836298521827638475320189012309704722", keyHash: "aGFzaA" },
    { position: "49601189658422359378836298521827638475320189012309704723", keyHash: undefined },
  ],
  count: 2,
  bytes: 1_234,
  atMs: 1_700_000_000_000,
  where: { destination: "file:/somewhere/failed.jsonl", at: "4711" },
  origin: "0123456789abcdef",
  trace: "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
  state: "open",
};

function rowAt(atMs: number): FailureRow {
  return { ...BARE, id: `f${atMs}`, atMs };
}

function behaviour(
  harness: FailureIndexHarness,
  sentence: string,
  prove: (index: FailureIndex, open: () => Promise<FailureIndex>) => Promise<void>,
): void {
  test(sentence, async () => {
    await using fixture = await harness.createIndex(ROWS_MAX);
    await prove(await fixture.open(), () => fixture.open());
  });
}
