import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CellStore } from "../../src/ports/cell-store.ts";
import { AnswerProxy } from "./answer-proxy.ts";

export interface RemoteCellStoreHarness {
  /** Of the server. */
  readonly port: number;
  createContent(): Promise<RemoteCellStoreContent>;
}

export interface RemoteCellStoreContent extends AsyncDisposable {
  /** A handle that reaches the server by a port of this host, and waits for no answer longer than `SHORT_MS`. */
  open(port: number): Promise<CellStore>;
}

const HANG = { timeout: 240_000 };
const BEFORE = '{"n":1}';

const SWAPS = [
  { name: "a change", cell: "a", document: '{"n":2}' },
  { name: "a removal", cell: "a", document: undefined },
  { name: "a new cell", cell: "b", document: '{"n":3}' },
] as const;

/** The laws of the port where the network loses what the store has said. */
export function describeCellStoreFaults(name: string, harness: RemoteCellStoreHarness): void {
  describe(`lost answers: ${name}`, HANG, () => {
    for (const { name: what, cell, document } of SWAPS) {
      for (const loss of ["cut", "swallow"] as const) {
        test(`${what} whose answer is lost (${loss}) fails as unknown, took effect wholly, and is not made twice`, async () => {
          await using content = await harness.createContent();
          await using proxy = await AnswerProxy.start(harness.port);
          const [store, direct] = [await content.open(proxy.port), await content.open(harness.port)];
          const made = await direct.swap("a", 0, BEFORE);
          assert.ok(made.kind === "swapped");
          const seen = cell === "a" ? made.revision : 0;
          // Leaves a connection that is ready, so that the next answer is that of the swap.
          await store.read("");
          proxy.loseAnswer(loss);
          const result = await store.swap(cell, seen, document).catch((error: unknown) => error);
          assert.equal(proxy.lost, 1);
          assert.ok(result instanceof Error && "code" in result, "an answer was lost, and nobody was told");
          assert.equal(result.code, "ERR_MILLRACE_STORE_UNAVAILABLE");
          const found = (await direct.read(cell))[0];
          assert.equal(found?.document, document);
          assert.deepEqual(await store.swap(cell, seen, document), { kind: "stale" });
          assert.deepEqual((await direct.read(cell))[0], found);
        });
      }
    }
  });
}
