import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AsyncQueue } from "../../src/ports/async-queue.ts";
import { idsOf, itemOf, received, room } from "../contract/async-queue-harness.ts";
import { AnswerProxy } from "./answer-proxy.ts";

export interface RemoteAsyncQueueHarness {
  /** Of the server. */
  readonly port: number;
  createContent(): Promise<RemoteAsyncQueueContent>;
}

export interface RemoteAsyncQueueContent extends AsyncDisposable {
  /** A handle that reaches the server by a port of this host, and waits for no answer longer than `SHORT_MS`. */
  openAt(port: number): Promise<AsyncQueue>;
}

const HANG = { timeout: 240_000 };

/** The laws of the port where the network loses what the queue has said. */
export function describeAsyncQueueFaults(name: string, harness: RemoteAsyncQueueHarness): void {
  describe(`lost answers: ${name}`, HANG, () => {
    for (const loss of ["cut", "swallow"] as const) {
      test(`a put whose answer is lost (${loss}) fails as unknown, and its items are there once`, async () => {
        await using given = await faulty(harness);
        const { queue, direct, lose } = given;
        await lose(loss, () => queue.put([itemOf("a", "f:one"), itemOf("b", "f:one")]));
        assert.deepEqual([await queue.has("a"), await queue.has("b")], [true, true]);
        assert.equal(await queue.put([itemOf("a", "f:one")]), "put");
        assert.deepEqual(idsOf(await received(direct)).toSorted(), ["a", "b"]);
      });

      test(`a tick whose answer is lost (${loss}) fails as unknown, and is not put again`, async () => {
        await using given = await faulty(harness);
        const { queue, direct, lose } = given;
        const cursor = { name: "c", from: "", to: "1" };
        await lose(loss, () => queue.put([itemOf("a", "f:one")], cursor));
        assert.equal(await queue.put([itemOf("b", "f:one")], cursor), "stale");
        assert.deepEqual(await queue.cursors(""), new Map([["c", "1"]]));
        assert.deepEqual(idsOf(await received(direct)), ["a"]);
      });

      test(`a finish whose answer is lost (${loss}) fails as unknown, and is lost when it is repeated`, async () => {
        await using given = await faulty(harness);
        const { queue, direct, lose } = given;
        await direct.put([itemOf("a", "f:one")]);
        const [item] = await received(direct);
        assert.ok(item !== undefined);
        const next = [itemOf("a/success", "d:x")];
        await lose(loss, () => queue.finish(item, next));
        assert.equal(await queue.finish(item, next), "lost");
        assert.deepEqual([await direct.has("a"), await direct.has("a/success")], [false, true]);
        assert.deepEqual(idsOf(await received(direct, [room("d:x")])), ["a/success"]);
      });
    }
  });
}

async function faulty(harness: RemoteAsyncQueueHarness) {
  const content = await harness.createContent();
  const proxy = await AnswerProxy.start(harness.port);
  const [queue, direct] = [await content.openAt(proxy.port), await content.openAt(harness.port)];
  return {
    queue,
    direct,
    async lose(loss: "cut" | "swallow", write: () => Promise<unknown>) {
      // Leaves a connection that is ready, so that the next answer is that of the write.
      await queue.has("nothing");
      proxy.loseAnswer(loss);
      const result = await write().catch((error: unknown) => error);
      assert.equal(proxy.lost, 1);
      assert.ok(result instanceof Error && "code" in result, "an answer was lost, and nobody was told");
      assert.equal(result.code, "ERR_MILLRACE_STORE_UNAVAILABLE");
    },
    async [Symbol.asyncDispose]() {
      await content[Symbol.asyncDispose]();
      await proxy.close();
    },
  };
}
