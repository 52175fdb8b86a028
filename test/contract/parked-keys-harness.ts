import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParkedEntry, ParkedKey, ParkingBounds, ParkingCause } from "../../src/model/parked-key.ts";
import type { NewParkedKey, ParkedKeyStore, PutAnswer, ShardWriter } from "../../src/ports/parked-keys.ts";
import type { Drainer } from "../../src/ports/parking-store.ts";

export interface ParkedKeysFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<ParkedKeyStore>;
}

export interface ParkedKeysHarness {
  /** An empty store of its own for one test. Disposing closes all handles that were opened on it. */
  createStore(): Promise<ParkedKeysFixture>;
  /** Ways in which this store cannot write. Empty only where there are none. */
  readonly writeFaults: readonly ParkedKeysWriteFault[];
}

export interface ParkedKeysWriteFault {
  /** Behind "on a". */
  readonly name: string;
  createStore(): Promise<FaultyParkedKeysFixture>;
}

export interface FaultyParkedKeysFixture extends ParkedKeysFixture {
  /** From now on the store can write nothing. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

export const MAPPING = "1b2a7c1e-0000-4000-8000-000000000001";
export const DRAINER: Drainer = { mapping: MAPPING, epoch: 3 };
export const WIDE: ParkingBounds = { keysMax: 1_000, recordsMax: 100_000, bytesMax: 100_000_000 };
export const CAUSE: ParkingCause = {
  condition: "RetryAttemptsExhausted",
  error: {
    id: "e7f3",
    errorType: "TypeError",
    message: 'no "price"\u0000',
    stack: "at price (orders.ts:14)",
  },
  shardId: "shard-1",
  position: "1",
};

/** A shard as its owner has it, with each call a new attempt. */
export class Writer {
  readonly shardId: string;
  readonly #store: ParkedKeyStore;
  #fence = 0;
  #attempt = 0;

  constructor(store: ParkedKeyStore, shardId = "shard-1") {
    this.#store = store;
    this.shardId = shardId;
  }

  async open(): Promise<readonly ParkedKey[]> {
    const { fence, keys } = await this.#store.open(MAPPING, this.shardId);
    this.#fence = fence;
    this.#attempt = 0;
    return keys;
  }

  /** Who writes, in the next attempt. */
  next(): ShardWriter {
    this.#attempt += 1;
    return { mapping: MAPPING, shardId: this.shardId, fence: this.#fence, attempt: this.#attempt };
  }

  create(key: string, ...positions: readonly string[]): Promise<PutAnswer | "fenced"> {
    return this.#store.create(this.next(), this.made(key, ...positions), WIDE);
  }

  made(key: string, ...positions: readonly string[]): NewParkedKey {
    return {
      key,
      log: this.shardId,
      entries: this.entries(key, ...positions),
      cause: CAUSE,
      parkedMs: 1_700_000_000_123,
    };
  }

  /** Answers what became of the one put. */
  async append(
    key: string,
    tailVersion: number,
    ...positions: readonly string[]
  ): Promise<PutAnswer | "fenced" | undefined> {
    const put = { key, log: this.shardId, tailVersion, entries: this.entries(key, ...positions) };
    return onlyAnswer(await this.#store.append(this.next(), [put], WIDE));
  }

  entries(key: string, ...positions: readonly string[]): readonly ParkedEntry[] {
    return positions.map((position) => entry(key, position, this.shardId));
  }
}

export function entry(key: string, position: string, shardId = "shard-1"): ParkedEntry {
  return {
    shardId,
    position,
    itemId: `item ${position}`,
    arrivalMs: 1_700_000_000_123,
    element: Buffer.from(`{"element":${JSON.stringify(`${shardId} ${key} ${position}`)}}`),
    trace: undefined,
  };
}

/** A writer that owns its shard. */
export async function opened(store: ParkedKeyStore, shardId?: string): Promise<Writer> {
  const writer = new Writer(store, shardId);
  await writer.open();
  return writer;
}

/** The key as it stands once it is parked with these. */
export async function parked(
  writer: Writer,
  key: string,
  ...positions: readonly string[]
): Promise<ParkedKey> {
  return keyOf(await writer.create(key, ...positions));
}

export function onlyAnswer(answers: readonly PutAnswer[] | "fenced"): PutAnswer | "fenced" | undefined {
  if (answers === "fenced") return answers;
  assert.equal(answers.length, 1);
  return answers[0];
}

export function keyOf(answer: PutAnswer | "fenced" | undefined): ParkedKey {
  assert.ok(answer !== undefined && answer !== "fenced" && answer.kind === "parked", JSON.stringify(answer));
  return answer.key;
}

/** Places of what waits of a key, in order. */
export async function waiting(store: ParkedKeyStore, id: string): Promise<readonly string[]> {
  const entries = await store.head(MAPPING, id, 10_000, 100_000_000);
  return entries.map(({ shardId, position }) =>
    shardId === "shard-1" ? position : `${shardId}/${position}`,
  );
}

export function behaviour(
  harness: ParkedKeysHarness,
  sentence: string,
  prove: (store: ParkedKeyStore, open: () => Promise<ParkedKeyStore>) => Promise<void>,
): void {
  test(sentence, async () => {
    await using fixture = await harness.createStore();
    await prove(await fixture.open(), () => fixture.open());
  });
}
