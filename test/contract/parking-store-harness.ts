import assert from "node:assert/strict";
import { test } from "node:test";
import type { ItemState, NewRedrive, Redrive } from "../../src/model/redrive.ts";
import {
  type Drainer,
  firstAttempt,
  type ItemEnd,
  type ItemTry,
  type ParkingStore,
  type QueuedItem,
} from "../../src/ports/parking-store.ts";

export interface ParkingStoreFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<ParkingStore>;
}

export interface ParkingStoreHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<ParkingStoreFixture>;
  /** Ways in which this store cannot write. Empty only where there are none. */
  readonly writeFaults: readonly ParkingWriteFault[];
}

export interface ParkingWriteFault {
  /** Behind "on a". */
  readonly name: string;
  createStore(): Promise<FaultyParkingStoreFixture>;
}

export interface FaultyParkingStoreFixture extends ParkingStoreFixture {
  /** From now on the store can write nothing. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

export const MAPPING = "1b2a7c1e-0000-4000-8000-000000000001";
export const DRAINER: Drainer = { mapping: MAPPING, epoch: 3 };

export function redrive(id: string, more: Partial<NewRedrive> = {}): NewRedrive {
  return {
    id,
    name: `name of ${id}`,
    mapping: MAPPING,
    selection: '{"error":"e7f3"}',
    to: { kind: "function" },
    rate: undefined,
    share: 0.25,
    delivery: "at-most-once",
    selected: 10,
    caller: "lin@ops",
    createdMs: 1_000,
    ...more,
  };
}

/** `a3`: the third item of the key `a`; `-3` has no key. */
export function item(name: string, more: Partial<QueuedItem> = {}): QueuedItem {
  const key = name.startsWith("-") ? undefined : name.slice(0, 1);
  return {
    id: name,
    failureId: `failure of ${name}`,
    itemId: `item ${name}`,
    shardId: "shard-1",
    position: name.slice(1),
    key,
    arrivalMs: 1_700_000_000_123,
    element: Buffer.from(`{"element":"${name}"}`),
    queue: key ?? "~0",
    isKeyless: key === undefined,
    ...more,
  };
}

export function items(...names: readonly string[]): readonly QueuedItem[] {
  return names.map((name) => item(name));
}

/** A redrive that runs, with all of these loaded. */
export async function running(
  store: ParkingStore,
  id: string,
  ...names: readonly string[]
): Promise<Redrive> {
  const made = await store.create(redrive(id));
  assert.ok(made !== "exists");
  assert.equal(await store.open(DRAINER), "open");
  const begun = await store.change(id, made.version, { state: "running" });
  assert.ok(begun !== "stale");
  const window = { seen: undefined, next: undefined, items: items(...names) };
  assert.equal(await store.load(DRAINER, id, window), "loaded");
  return begun;
}

export async function seqsOf(store: ParkingStore, id: string, queue: string): Promise<readonly number[]> {
  return (await store.head(id, queue, 100, 1_000_000)).map(({ seq }) => seq);
}

let attempts = firstAttempt(DRAINER);
/** By redrive and item: the last attempt that started it. */
const lastAttempts = new Map<string, number>();

/** Starts items, in an attempt of their own. */
export function start(
  store: ParkingStore,
  drainer: Drainer,
  id: string,
  { seqs, requestId }: Pick<ItemTry, "seqs" | "requestId">,
) {
  attempts += 1;
  for (const seq of seqs) lastAttempts.set(`${id}/${seq}`, attempts);
  return store.start(drainer, id, { seqs, requestId, attempt: attempts });
}

/** Ends items of the attempt that started them last. */
export function end(
  store: ParkingStore,
  drainer: Drainer,
  id: string,
  ends: readonly Omit<ItemEnd, "attempt">[],
) {
  return store.end(
    drainer,
    id,
    ends.map((each) => ({ ...each, attempt: lastAttempts.get(`${id}/${each.seq}`) ?? 0 })),
  );
}

/** Starts the first items of a queue, so many. */
export async function startHead(
  store: ParkingStore,
  id: string,
  queue: string,
  count: number,
  drainer = DRAINER,
): Promise<readonly number[]> {
  const seqs = (await seqsOf(store, id, queue)).slice(0, count);
  assert.equal(seqs.length, count);
  assert.equal(await start(store, drainer, id, { seqs, requestId: `request of ${queue}` }), "started");
  return seqs;
}

/** Names of the items in each state that has any. */
export async function standing(
  store: ParkingStore,
  id: string,
): Promise<Partial<Record<ItemState, readonly string[]>>> {
  const states = ["waiting", "started", "done", "failed", "held", "uncertain", "gone"] as const;
  const found: Partial<Record<ItemState, readonly string[]>> = {};
  for (const state of states) {
    const names = (await store.items(id, state, 0, 1_000)).map((each) => each.id);
    if (names.length > 0) found[state] = names;
  }
  return found;
}

export function behaviour(
  harness: ParkingStoreHarness,
  sentence: string,
  prove: (store: ParkingStore, open: () => Promise<ParkingStore>) => Promise<void>,
): void {
  test(sentence, async () => {
    await using fixture = await harness.createStore();
    await prove(await fixture.open(), () => fixture.open());
  });
}
