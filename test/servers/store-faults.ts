import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeldLease, ProgressStore } from "../../src/ports/progress-store.ts";
import {
  checkpointAt,
  look,
  MAPPING,
  manyShards,
  newShard,
  sorted,
  take,
} from "../contract/progress-store-harness.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { AnswerProxy, type Loss } from "./answer-proxy.ts";

/** A store behind a network. */
export interface RemoteStoreHarness {
  /** Of the server. */
  readonly port: number;
  /** An empty store of its own for one test. */
  createContent(): Promise<RemoteStoreContent>;
}

export interface RemoteStoreContent extends AsyncDisposable {
  /** A handle that reaches the server by a port of this host, and waits for no answer longer than `SHORT_MS`. */
  open(port: number): Promise<ProgressStore>;
}

/** Long enough for a busy machine: what is lost is waited for in vain anyhow. */
export const SHORT_MS = 2_000;

/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 240_000 };
const SHARDS = 250;

interface Scene {
  /** Loses answers. */
  readonly store: ProgressStore;
  /** Sees what is stored. */
  readonly direct: ProgressStore;
  /** Of shard `a`, which `store` has acquired. */
  readonly lease: HeldLease;
}

interface LostWrite {
  readonly name: string;
  write(scene: Scene): Promise<unknown>;
  /** That it was applied, once. */
  applied(scene: Scene): Promise<void>;
  /** What the same call says when it is made again. */
  readonly again: unknown;
}

const WRITES: readonly LostWrite[] = [
  {
    name: "acquire",
    write: ({ store }) => store.acquire(MAPPING, "b", "one", { epoch: 0, counter: 0 }),
    applied: async ({ direct }) => {
      const { owner, epoch, counter } = await look(direct, "b");
      assert.deepEqual([owner, epoch, counter], ["one", 1, 1]);
    },
    again: undefined,
  },
  {
    name: "renew",
    write: ({ store, lease }) => store.renew(MAPPING, lease),
    applied: async ({ direct }) => assert.equal((await look(direct, "a")).counter, 2),
    again: { kind: "renewed", handoverTo: undefined },
  },
  {
    name: "checkpoint",
    write: ({ store, lease }) => store.checkpoint(MAPPING, lease, checkpointAt(4, "40")),
    applied: async ({ direct }) =>
      assert.deepEqual((await look(direct, "a")).checkpoint, checkpointAt(4, "40")),
    again: "stale",
  },
  {
    name: "release",
    write: ({ store, lease }) => store.release(MAPPING, lease),
    applied: async ({ direct }) => {
      const { owner, counter } = await look(direct, "a");
      assert.deepEqual([owner, counter], [undefined, 2]);
    },
    again: "fenced",
  },
  {
    name: "requestHandover",
    write: ({ store, lease }) =>
      store.requestHandover(MAPPING, "a", { epoch: lease.epoch, counter: 0 }, "two"),
    applied: async ({ direct }) => assert.equal((await look(direct, "a")).handoverTo, "two"),
    again: undefined,
  },
  {
    name: "add",
    write: ({ store }) => store.add(MAPPING, [newShard("c", ["a"])]),
    applied: async ({ direct }) => assert.deepEqual((await look(direct, "c")).parentShardIds, ["a"]),
    again: undefined,
  },
  {
    name: "remove",
    write: ({ store }) => store.remove(MAPPING, "b"),
    applied: async ({ direct }) => assert.equal((await direct.list(MAPPING)).length, 1),
    again: undefined,
  },
];

/** The laws of the port where the network loses what the store has said. */
export function describeStoreFaults(name: string, harness: RemoteStoreHarness): void {
  describe(`lost answers: ${name}`, HANG, () => {
    for (const loss of ["cut", "swallow"] as const) {
      for (const { name: call, write, applied, again } of WRITES) {
        test(`${call}, its answer ${LOSS_NAMES[loss]}: fails as unknown, is applied once, and may be made again`, async () => {
          await using content = await harness.createContent();
          await using proxy = await AnswerProxy.start(harness.port);
          const scene = await setScene(content, harness.port, proxy.port);
          proxy.loseAnswer(loss);
          await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => write(scene));
          assert.equal(proxy.lost, 1);
          await applied(scene);
          assert.deepEqual(await write(scene), again);
        });
      }
    }

    test(`whichever answer of an initialisation is lost, all ${SHARDS} shards are there or none`, async (t) => {
      const outcomes = { all: 0, none: 0 };
      for (let before = 0; ; before++) {
        await using content = await harness.createContent();
        await using proxy = await AnswerProxy.start(harness.port);
        const [store, direct] = [await content.open(proxy.port), await content.open(harness.port)];
        await store.list(MAPPING);
        proxy.loseAnswer("cut", before);
        const shards = manyShards(SHARDS);
        const result = await store.initialise(MAPPING, shards).catch(() => "unknown");
        if (proxy.lost === 0) break;
        assert.equal(result, "unknown");
        const found = (await direct.list(MAPPING)).length;
        assert.ok(found === 0 || found === SHARDS, `${found} shards after ${before} answers`);
        outcomes[found === 0 ? "none" : "all"] += 1;
        await direct.initialise(MAPPING, found === 0 ? shards : [newShard("late")]);
        const ids = (await sorted(store, MAPPING)).map(({ shardId }) => shardId);
        assert.deepEqual(
          ids,
          shards.map(({ shard }) => shard.shardId),
        );
      }
      t.diagnostic(JSON.stringify(outcomes));
      assert.ok(outcomes.all > 0 && outcomes.none > 0, "both outcomes were seen");
    });
  });
}

const LOSS_NAMES: Readonly<Record<Loss, string>> = { cut: "cut off", swallow: "never coming" };

async function setScene(content: RemoteStoreContent, port: number, proxyPort: number): Promise<Scene> {
  const [store, direct] = [await content.open(proxyPort), await content.open(port)];
  await store.initialise(MAPPING, [newShard("a"), newShard("b")]);
  // Leaves a connection that is ready, so that the next answer is that of the call.
  const { lease } = await take(store, "a", "one");
  return { store, direct, lease };
}
