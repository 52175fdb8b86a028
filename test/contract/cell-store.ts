import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CELL_DOCUMENT_BYTES_MAX, type CellStore } from "../../src/ports/cell-store.ts";
import { rejectsWith } from "./rejects-with.ts";
import { assertRefused, retried } from "./writes-refused.ts";

export interface CellStoreFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<CellStore>;
}

export interface CellStoreHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<CellStoreFixture>;
  /** Ways in which this store cannot write. Empty only where there are none. */
  readonly writeFaults: readonly CellWriteFault[];
}

export interface CellWriteFault {
  /** Behind "on a". */
  readonly name: string;
  createStore(): Promise<FaultyCellStoreFixture>;
}

export interface FaultyCellStoreFixture extends CellStoreFixture {
  /** From now on the store can write nothing. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

const RACERS = 8;
const ROUNDS = 10;

/** The laws of `src/ports/cell-store.ts` as named behaviours, which every adapter runs. */
export function describeCellStoreContract(name: string, harness: CellStoreHarness): void {
  describe(`${name} keeps the laws of a cell store`, { timeout: 120_000 }, () => {
    describeSwaps(harness);
    describeRevisions(harness);
    describeBounds(harness);
    describeRaces(harness);
    describeDurability(harness);
  });
}

function describeSwaps(harness: CellStoreHarness): void {
  behaviour(harness, "has no cells at first", async (store) => {
    assert.deepEqual(await store.read(""), []);
    assert.deepEqual(await store.swap("a", 1, "{}"), STALE, "a cell that is not there has no revision");
    assert.deepEqual(await store.read(""), []);
  });

  behaviour(harness, "reads what was written, also through another handle", async (store, open) => {
    const document = JSON.stringify({ text: 'höhe 🜚 \u2028 "', nested: [1, null, true] });
    const revision = await swapped(store, "allot/fn_1-%x", 0, document);
    assert.deepEqual(await (await open()).read(""), [{ name: "allot/fn_1-%x", revision, document }]);
  });

  behaviour(harness, "makes a cell only where there is none", async (store) => {
    await swapped(store, "a", 0, "1");
    assert.deepEqual(await store.swap("a", 0, "2"), STALE);
    assert.equal((await store.read("a"))[0]?.document, "1");
  });

  behaviour(harness, "changes a cell at the revision that was seen, and not at another", async (store) => {
    const first = await swapped(store, "a", 0, "1");
    const second = await swapped(store, "a", first, "2");
    for (const seen of [first, second + 1]) assert.deepEqual(await store.swap("a", seen, "3"), STALE);
    assert.deepEqual(await store.read("a"), [{ name: "a", revision: second, document: "2" }]);
  });

  behaviour(harness, "swaps for the same document too, which is another revision", async (store) => {
    const first = await swapped(store, "a", 0, "1");
    assert.ok((await swapped(store, "a", first, "1")) > first);
  });

  behaviour(harness, "reads the cells whose names begin with a prefix, letter by letter", async (store) => {
    const names = ["allot/a", "allot/b", "allot", "allo_/a", "Allot/a", "other"];
    for (const name of names) await swapped(store, name, 0, JSON.stringify(name));
    const read = async (prefix: string) => (await store.read(prefix)).map(({ name }) => name).sort();
    assert.deepEqual(await read("allot/"), ["allot/a", "allot/b"]);
    assert.deepEqual(await read("allo_"), ["allo_/a"], "what is a wildcard in SQL is a letter here");
    assert.deepEqual(await read("%"), []);
    assert.deepEqual(await read(""), names.toSorted());
  });

  behaviour(harness, "reads many cells", async (store) => {
    const names = Array.from({ length: 120 }, (_, index) => `many/${String(index).padStart(3, "0")}`);
    for (const name of names) await swapped(store, name, 0, "{}");
    assert.deepEqual((await store.read("many/")).map(({ name }) => name).sort(), names);
  });
}

function describeRevisions(harness: CellStoreHarness): void {
  behaviour(harness, "removes a cell at the revision that was seen, and not at another", async (store) => {
    const revision = await swapped(store, "a", 0, "1");
    assert.deepEqual(await store.swap("a", revision + 1, undefined), STALE);
    await swapped(store, "a", revision, undefined);
    assert.deepEqual(await store.read(""), []);
    assert.deepEqual(await store.swap("a", revision, undefined), STALE);
    assert.deepEqual(await store.swap("a", 0, undefined), STALE, "what is gone cannot be removed");
  });

  behaviour(harness, "gives revisions that rise, also over a removal", async (store, open) => {
    const revisions: number[] = [];
    let seen = 0;
    for (const document of ["1", "2", undefined, "3", undefined, "4"]) {
      const revision = await swapped(store, "a", seen, document);
      revisions.push(revision);
      seen = document === undefined ? 0 : revision;
    }
    assert.deepEqual(
      revisions,
      [...new Set(revisions)].toSorted((a, b) => a - b),
    );
    assert.equal((await (await open()).read("a"))[0]?.revision, revisions.at(-1));
  });

  behaviour(harness, "does not take a cell that was made anew for the one that was seen", async (store) => {
    const seen = await swapped(store, "a", 0, "1");
    await swapped(store, "a", seen, undefined);
    assert.deepEqual(await store.swap("a", seen, "2"), STALE, "it is gone");
    await swapped(store, "a", 0, "3");
    assert.deepEqual(await store.swap("a", seen, "4"), STALE, "it is another one");
  });

  behaviour(harness, "keeps cells apart", async (store) => {
    const [a, b] = [await swapped(store, "a", 0, "1"), await swapped(store, "b", 0, "1")];
    await swapped(store, "a", a, "2");
    await swapped(store, "b", b, undefined);
    assert.deepEqual(
      (await store.read("")).map(({ name, document }) => [name, document]),
      [["a", "2"]],
    );
  });
}

function describeBounds(harness: CellStoreHarness): void {
  behaviour(harness, "keeps a document of 64 KiB, and refuses a larger one", async (store) => {
    const document = JSON.stringify("x".repeat(CELL_DOCUMENT_BYTES_MAX - 2));
    const revision = await swapped(store, "a", 0, document);
    assert.equal((await store.read("a"))[0]?.document, document);
    const larger = JSON.stringify("é".repeat(CELL_DOCUMENT_BYTES_MAX / 2));
    await rejectsWith("ERR_MILLRACE_INVARIANT", () => store.swap("a", revision, larger));
    assert.equal((await store.read("a"))[0]?.revision, revision);
  });
}

function describeRaces(harness: CellStoreHarness): void {
  behaviour(harness, "lets exactly one of several swaps of one revision take effect", async (store, open) => {
    const handles = await Promise.all(Array.from({ length: RACERS }, () => open()));
    let seen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(
        handles.map((handle, racer) => handle.swap("a", seen, JSON.stringify({ round, racer }))),
      );
      const winners = answers.flatMap((answer, racer) => (answer.kind === "swapped" ? [racer] : []));
      assert.equal(winners.length, 1, `round ${round}: ${winners.length} took effect`);
      const [cell] = await store.read("a");
      assert.equal(cell?.document, JSON.stringify({ round, racer: winners[0] }));
      seen = cell?.revision ?? -1;
    }
  });
}

/** An answer counts when it is durable: what a store that cannot write says, and what it holds. */
function describeDurability({ writeFaults }: CellStoreHarness): void {
  for (const { name, createStore } of writeFaults) {
    test(`on a ${name} every swap is refused and changes nothing, and works again afterwards`, async () => {
      await using fixture = await createStore();
      const [store, other] = [await fixture.open(), await fixture.open()];
      const revision = await swapped(store, "a", 0, "1");
      const before = await other.read("");
      await fixture.begin();
      await assertRefused("a change", () => store.swap("a", revision, "2"));
      await assertRefused("a removal", () => store.swap("a", revision, undefined));
      await assertRefused("a new cell", () => store.swap("b", 0, "1"));
      await fixture.end();
      assert.deepEqual(await retried(() => other.read("")), before, "after the fault");
      assert.equal((await retried(() => store.swap("a", revision, "2"))).kind, "swapped");
      assert.equal((await retried(() => store.swap("b", 0, "1"))).kind, "swapped");
      assert.deepEqual((await other.read("")).map(({ document }) => document).sort(), ["1", "2"]);
    });
  }
}

const STALE = { kind: "stale" };

async function swapped(
  store: CellStore,
  name: string,
  seen: number,
  document: string | undefined,
): Promise<number> {
  const answer = await store.swap(name, seen, document);
  assert.ok(answer.kind === "swapped", `${name} at ${seen} is ${answer.kind}`);
  assert.ok(answer.revision > seen, `revision ${answer.revision} after ${seen}`);
  return answer.revision;
}

function behaviour(
  harness: CellStoreHarness,
  sentence: string,
  prove: (store: CellStore, open: () => Promise<CellStore>) => Promise<void>,
): void {
  test(sentence, async () => {
    await using fixture = await harness.createStore();
    await prove(await fixture.open(), () => fixture.open());
  });
}
