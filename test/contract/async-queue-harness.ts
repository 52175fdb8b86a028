import { test } from "node:test";
import { type NewAsyncItem, newAttemptState } from "../../src/model/async-item.ts";
import type { AsyncItem, AsyncQueue, LaneRoom } from "../../src/ports/async-queue.ts";
import type { FaultyQueueFixture } from "./async-queue-durability.ts";

export interface AsyncQueueFixture extends AsyncDisposable {
  /** Another handle on the same content, as another process has it. */
  open(): Promise<AsyncQueue>;
  /** So much time passes, by the queue's clock. */
  pass(ms: number): Promise<void>;
}

/**
 * What an engine that is no database has not: looks at what it holds, which also says an id that is there twice; an
 * order, of items and of lanes.
 */
export type QueueAbility = "looks" | "order";

export interface AsyncQueueHarness {
  /** Absent: nothing. */
  readonly lacks?: readonly QueueAbility[];
  /** For a queue whose time is the real one: its behaviours are shown at once. */
  readonly isConcurrent?: boolean;
  /** An empty queue of its own for one test. Disposing closes all handles that were opened on it. */
  createQueue(): Promise<AsyncQueueFixture>;
  /** Ways in which this queue cannot write. Empty only where there are none. */
  readonly writeFaults: readonly { readonly name: string; createQueue(): Promise<FaultyQueueFixture> }[];
}

export const HOLD_MS = 60_000;
/** Longer than an engine leaves alone what it was not asked for. */
export const GIVEN_BACK_MS = 3_000;
const NEVER = new AbortController().signal;

export function behaviour(
  harness: AsyncQueueHarness,
  sentence: string,
  prove: (given: {
    readonly queue: AsyncQueue;
    open(): Promise<AsyncQueue>;
    pass(ms: number): Promise<void>;
  }) => Promise<void>,
  needs?: QueueAbility,
): void {
  test(sentence, { skip: needs !== undefined && harness.lacks?.includes(needs) === true }, async () => {
    await using fixture = await harness.createQueue();
    const queue = await fixture.open();
    await prove({ queue, open: () => fixture.open(), pass: (ms) => fixture.pass(ms) });
  });
}

export function itemOf(id: string, lane: string, body = id): NewAsyncItem {
  const state = newAttemptState(1);
  return { id, kind: "invoke", lane, qualifier: "", body: Buffer.from(body), state, visibleInMs: 0 };
}

export function room(lane: string, itemsMax = 100): LaneRoom {
  return { lane, itemsMax, holdMs: HOLD_MS };
}

export function received(
  queue: AsyncQueue,
  lanes: readonly LaneRoom[] = [room("f:one")],
  bounds: { readonly itemsMax?: number; readonly bytesMax?: number } = {},
): Promise<readonly AsyncItem[]> {
  const { itemsMax = 100, bytesMax = 1024 * 1024 } = bounds;
  return queue.receive({ lanes, itemsMax, bytesMax, waitMs: 0 }, NEVER);
}

export function idsOf(items: readonly { readonly id: string }[]): string[] {
  return items.map(({ id }) => id);
}

export function textOf(body: Uint8Array | undefined): string {
  return Buffer.from(body ?? []).toString();
}
