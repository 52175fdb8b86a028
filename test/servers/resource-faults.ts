import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NewResourceRow, ResourceStore } from "../../src/ports/resource-store.ts";
import { rejectsWith } from "../contract/rejects-with.ts";
import { AnswerProxy } from "./answer-proxy.ts";

export interface RemoteResourceStoreHarness {
  /** Of the server. */
  readonly port: number;
  createContent(): Promise<RemoteResourceStoreContent>;
}

export interface RemoteResourceStoreContent extends AsyncDisposable {
  /** A handle that reaches the server by a port of this host, and waits for no answer longer than `SHORT_MS`. */
  open(port: number): Promise<ResourceStore>;
}

const HANG = { timeout: 240_000 };
/** A write takes fewer answers than that. */
const ANSWERS_MAX = 30;
const FIRST = "11111111-1111-4111-8111-111111111111";
const SECOND = "22222222-2222-4222-8222-222222222222";

interface LostWrite {
  readonly name: string;
  write(store: ResourceStore, version: number): Promise<unknown>;
  /** Rows and claims after it, if it took effect, without versions. */
  readonly after: readonly NewResourceRow[];
  /** What the same call says when it is made again after it took effect. */
  readonly again: { readonly kind: string };
}

const BEFORE: NewResourceRow = { ...named(FIRST), claims: ["a"], document: '{"n":1}' };
const AFTER: NewResourceRow = { ...named(FIRST), claims: ["b"], document: '{"n":2}' };
const OTHER: NewResourceRow = { ...named(SECOND), claims: ["c", "d"], document: '{"n":3}' };

const WRITES: readonly LostWrite[] = [
  {
    name: "insert",
    write: (store) => store.insert(OTHER),
    after: [BEFORE, OTHER],
    again: { kind: "conflict" },
  },
  {
    name: "replace",
    write: (store, version) => store.replace(AFTER, version),
    after: [AFTER],
    again: { kind: "stale" },
  },
  {
    name: "remove",
    write: (store, version) => store.remove(FIRST, version),
    after: [],
    again: { kind: "stale" },
  },
];

/** The laws of the port where the network loses what the store has said. */
export function describeResourceStoreFaults(name: string, harness: RemoteResourceStoreHarness): void {
  describe(`lost answers: ${name}`, HANG, () => {
    for (const lost of WRITES) {
      test(`whichever answer of ${lost.name} is lost, it fails as unknown and took effect wholly or not at all`, async (t) => {
        const outcomes = { all: 0, none: 0 };
        for (let before = 0; before < ANSWERS_MAX; before++) {
          await using content = await harness.createContent();
          await using proxy = await AnswerProxy.start(harness.port);
          const [store, direct] = [await content.open(proxy.port), await content.open(harness.port)];
          const version = await inserted(direct, BEFORE);
          // Leaves a connection that is ready, so that the next answer is that of the call.
          await store.newestVersion();
          proxy.loseAnswer("cut", before);
          const result = await lost.write(store, version).catch((error: unknown) => error);
          if (proxy.lost === 0) break;
          assert.ok(result instanceof Error && "code" in result, "an answer was lost, and nobody was told");
          assert.equal(result.code, "ERR_MILLRACE_STORE_UNAVAILABLE");
          const isDone = (await direct.newestVersion()) > version;
          outcomes[isDone ? "all" : "none"] += 1;
          assert.deepEqual(await contentOf(direct), sorted(isDone ? lost.after : [BEFORE]));
          const again = await lost.write(store, version);
          assert.ok(typeof again === "object" && again !== null && "kind" in again);
          assert.equal(again.kind, isDone ? lost.again.kind : DONE[lost.name]);
          assert.deepEqual(await contentOf(direct), sorted(lost.after));
          await assertClaims(direct);
        }
        t.diagnostic(JSON.stringify(outcomes));
        assert.ok(outcomes.all > 0 && outcomes.none > 0, "both outcomes were seen");
      });
    }

    test("a beat whose answer never comes is unknown, and the next one moves on", async () => {
      await using content = await harness.createContent();
      await using proxy = await AnswerProxy.start(harness.port);
      const [store, direct] = [await content.open(proxy.port), await content.open(harness.port)];
      await store.announce("p1", 1);
      proxy.loseAnswer("swallow");
      await rejectsWith("ERR_MILLRACE_STORE_UNAVAILABLE", () => store.announce("p1", 2));
      assert.deepEqual(await direct.processes(), [{ processId: "p1", appliedVersion: 2, beat: 2 }]);
      await store.announce("p1", 3);
      assert.deepEqual(await direct.processes(), [{ processId: "p1", appliedVersion: 3, beat: 3 }]);
    });
  });
}

function named(uid: string) {
  return { uid, kind: "mapping", name: uid };
}

const DONE: Readonly<Record<string, string>> = { insert: "written", replace: "written", remove: "removed" };

async function inserted(store: ResourceStore, row: NewResourceRow): Promise<number> {
  const result = await store.insert(row);
  assert.ok(result.kind === "written", result.kind);
  return result.version;
}

async function contentOf(store: ResourceStore): Promise<readonly NewResourceRow[]> {
  return sorted((await store.list()).map(({ version: _version, ...row }) => row));
}

function sorted(rows: readonly NewResourceRow[]): readonly NewResourceRow[] {
  return rows
    .map((row) => ({ ...row, claims: row.claims.toSorted() }))
    .toSorted((a, b) => (a.uid < b.uid ? -1 : 1));
}

/** Exactly the claims of the rows are taken: others can be had, these cannot. */
async function assertClaims(store: ResourceStore): Promise<void> {
  const held = new Map(
    (await store.list()).flatMap(({ uid, claims }) => claims.map((claim) => [claim, uid])),
  );
  for (const claim of ["a", "b", "c", "d"]) {
    const uid = `33333333-3333-4333-8333-33333333333${claim}`;
    const result = await store.insert({ ...named(uid), claims: [claim], document: "{}" });
    const holder = held.get(claim);
    if (holder === undefined) assert.equal(result.kind, "written", `claim ${claim} was not free`);
    else assert.deepEqual(result, { kind: "conflict", uid: holder });
  }
}
