import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewResourceRow, ResourceStore } from "../../src/ports/resource-store.ts";

export interface ResourceStoreFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<ResourceStore>;
}

export interface ResourceStoreHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<ResourceStoreFixture>;
  /** Ways in which this store cannot write. Empty only where there are none. */
  readonly writeFaults: readonly ResourceWriteFault[];
}

export interface ResourceWriteFault {
  /** Behind "on a". */
  readonly name: string;
  createStore(): Promise<FaultyResourceStoreFixture>;
}

export interface FaultyResourceStoreFixture extends ResourceStoreFixture {
  /** From now on the store can write nothing. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

export const FIRST = "11111111-1111-4111-8111-111111111111";
export const SECOND = "22222222-2222-4222-8222-222222222222";

export function behaviour(
  harness: ResourceStoreHarness,
  sentence: string,
  prove: (store: ResourceStore, open: () => Promise<ResourceStore>) => Promise<void>,
): void {
  test(sentence, async () => {
    await using fixture = await harness.createStore();
    await prove(await fixture.open(), () => fixture.open());
  });
}

export function row(uid: string, claims: readonly string[], document = "{}"): NewResourceRow {
  return { uid, kind: "mapping", name: uid, claims, document };
}

export async function inserted(store: ResourceStore, wanted: NewResourceRow): Promise<number> {
  const result = await store.insert(wanted);
  assert.ok(result.kind === "written", result.kind);
  return result.version;
}

export function conflictWith(uid: string) {
  return { kind: "conflict", uid };
}

export function uidOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}
