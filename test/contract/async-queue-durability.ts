import assert from "node:assert/strict";
import { test } from "node:test";
import { type NewAsyncItem, newAttemptState } from "../../src/model/async-item.ts";
import type { AsyncQueue } from "../../src/ports/async-queue.ts";
import { assertRefused, retried } from "./writes-refused.ts";

export interface FaultyQueueFixture extends AsyncDisposable {
  open(): Promise<AsyncQueue>;
  /** From now on the queue can write nothing. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** An answer counts when it is durable: what a queue that cannot write says, and what it holds. */
export function describeAsyncQueueDurability(
  faults: readonly { readonly name: string; createQueue(): Promise<FaultyQueueFixture> }[],
): void {
  for (const { name, createQueue } of faults) {
    test(`on a ${name} nothing is accepted, and what was accepted is there afterwards`, async () => {
      await using fixture = await createQueue();
      const [queue, other] = [await fixture.open(), await fixture.open()];
      await queue.put([itemOf("before")]);
      await fixture.begin();
      await assertRefused("a put", () => queue.put([itemOf("refused")]));
      await assertRefused("a tick", () => queue.put([itemOf("tick")], { name: "c", from: "", to: "1" }));
      await fixture.end();
      assert.equal(await retried(() => other.has("before")), true);
      assert.equal(await other.has("refused"), false);
      assert.deepEqual(await other.cursors(""), new Map());
      assert.equal(await retried(() => queue.put([itemOf("after")])), "put");
      assert.equal(await other.has("after"), true);
    });
  }
}

function itemOf(id: string): NewAsyncItem {
  const state = newAttemptState(1);
  // Larger than what a full disk may still have in the blocks of its files.
  const body = Buffer.alloc(300_000, "x");
  return { id, kind: "invoke", lane: "f:one", qualifier: "", body, state, visibleInMs: 0 };
}
