import type { Message } from "@aws-sdk/client-sqs";
import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import type { AsyncItem, AsyncQueue, AsyncReceive, CursorMove, LaneBacklog } from "../ports/async-queue.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { Settlement } from "../ports/queue-source.ts";
import { CellCursors } from "./cell-cursors.ts";
import { LanesGivenBack } from "./lanes-given-back.ts";
import { ReceiveRound } from "./receive-round.ts";
import { createEventQueueApi, type EventQueueApi, type EventQueuePlace } from "./sqs-event-api.ts";
import {
  batchesOf,
  checkedMessage,
  ENTRIES_MAX,
  fitsMessage,
  sendBatchesOf,
  withoutAnswer,
} from "./sqs-event-batches.ts";
import { MESSAGE_BYTES_MAX, type ReadEvent, readEvent } from "./sqs-event-message.ts";

const HOLD_SECONDS_MAX = 43_200;
/** Room for what stands beside a body. */
const BESIDE_BYTES = 64 * 1024;
/** What is new stays below it: its attempts may add to it. */
const NEW_BYTES_MAX = MESSAGE_BYTES_MAX - 8 * 1024;
/** Calls of one receive: what is there beyond is asked for a moment later. */
const RECEIVES_MAX = 50;
/** The shortest wait of SQS that is one. */
const WAIT_SECONDS = 1;
/** A message of another program is left alone for so long: the queue's own bounds end it. */
const FOREIGN_MS = 900_000;

/** What this handle knows of a message that it has handed out. */
interface Hold {
  untilMs: number;
  /** What comes of it was sent: only the message itself is still to be removed. */
  isSent: boolean;
  isSettled: boolean;
}

/**
 * One standard queue of SQS for the events of all functions. Not atomic, as the port allows: what comes of an item is
 * sent, then the item is removed, so that a death in between repeats it. SQS hands out what it likes: items of lanes
 * that were not asked for are given back, for longer each time. It cannot say what it holds.
 */
export function openSqsAsyncQueue(place: EventQueuePlace, cells: CellStore): AsyncQueue {
  return new SqsAsyncQueue(createEventQueueApi(place), cells);
}

export class SqsAsyncQueue implements AsyncQueue {
  readonly description = {
    engine: "SQS",
    isDurable: true,
    isAtomic: false,
    bodyBytesMax: MESSAGE_BYTES_MAX - BESIDE_BYTES,
  };
  readonly #api: EventQueueApi;
  readonly #now: () => number;
  readonly #cursors: CellCursors;
  readonly #holds = new Map<string, Hold>();
  readonly #givenBack: LanesGivenBack;

  constructor(api: EventQueueApi, cells: CellStore, now: () => number = Date.now) {
    this.#api = api;
    this.#now = now;
    this.#cursors = new CellCursors({ cells, now });
    this.#givenBack = new LanesGivenBack(now);
  }

  async put(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<"put" | "stale"> {
    if (cursor !== undefined) return await this.#cursors.move(cursor, () => this.#send(items, NEW_BYTES_MAX));
    await this.#send(items, NEW_BYTES_MAX);
    return "put";
  }

  /** It cannot be asked: whoever lost the answer of a put puts it again. */
  async has(): Promise<boolean> {
    return false;
  }

  async cursors(prefix: string): Promise<ReadonlyMap<string, string>> {
    return await this.#cursors.places(prefix);
  }

  async receive(wanted: AsyncReceive, signal: AbortSignal): Promise<readonly AsyncItem[]> {
    this.#forgetEnded();
    const round = new ReceiveRound(wanted);
    for (let receives = 0; receives < RECEIVES_MAX && round.room > 0 && !signal.aborted; receives++) {
      const waitSeconds = receives === 0 && wanted.waitMs > 0 ? WAIT_SECONDS : 0;
      const messages = await this.#receive(round, waitSeconds, signal);
      if (messages === undefined || messages.length === 0) break;
    }
    await Promise.all([this.#giveBack(round), this.#prolong(round)]);
    return round.taken;
  }

  async retry(held: AsyncItem, state: AttemptState, delayMs: number): Promise<Settlement> {
    const { id, kind, lane, qualifier, body } = held;
    const item = { id, kind, lane, qualifier, body, state, visibleInMs: delayMs };
    return await this.#end(held, [fitsMessage(item) ? item : { ...item, state: withoutAnswer(state) }]);
  }

  async finish(held: AsyncItem, next: readonly NewAsyncItem[]): Promise<Settlement> {
    return await this.#end(held, next);
  }

  async release(held: AsyncItem, delayMs: number): Promise<Settlement> {
    const hold = this.#holdOf(held);
    if (hold === undefined) return "lost";
    const lost = await this.#api.hold([receiptOf(held)], secondsOf(delayMs));
    hold.isSettled = true;
    return lost.size === 0 ? "settled" : "lost";
  }

  async extend(held: readonly AsyncItem[], holdMs: number): Promise<readonly Settlement[]> {
    const open = held.filter((each) => this.#holdOf(each) !== undefined);
    const kept = new Set<AsyncItem>();
    const untilMs = this.#now() + holdMs;
    for (const batch of batchesOf(open)) {
      const lost = await this.#api.hold(batch.map(receiptOf), secondsOf(holdMs));
      for (const [index, each] of batch.entries()) {
        const hold = this.#holdOf(each);
        if (hold === undefined || lost.has(index)) continue;
        hold.untilMs = untilMs;
        kept.add(each);
      }
    }
    return held.map((each) => (kept.has(each) ? "settled" : "lost"));
  }

  /** Lanes of which something was given back lately: whoever looks after them may ask for them. */
  async backlog(): Promise<readonly LaneBacklog[]> {
    return this.#givenBack.backlog();
  }

  async total(): Promise<number> {
    return await this.#api.count();
  }

  async list(): Promise<readonly []> {
    return [];
  }

  async get(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    this.#api.close();
  }

  async #send(items: readonly NewAsyncItem[], bytesMax = MESSAGE_BYTES_MAX): Promise<void> {
    const messages = items.map((item) => checkedMessage(item, this.#now(), bytesMax));
    for (const batch of sendBatchesOf(messages)) await this.#api.send(batch);
  }

  /** `undefined`: what was taken before is not to be lost with a call that fails. */
  async #receive(round: ReceiveRound, waitSeconds: number, signal: AbortSignal) {
    const askedMs = this.#now();
    const request = { messagesMax: Math.min(ENTRIES_MAX, round.room), waitSeconds };
    let messages: readonly Message[];
    try {
      messages = await this.#api.receive({ ...request, holdSeconds: secondsOf(round.holdMs) }, signal);
    } catch (error) {
      if (round.isEmpty && !signal.aborted) throw error;
      return undefined;
    }
    for (const message of messages) this.#sort(message, round, askedMs);
    return messages;
  }

  #sort(message: Message, round: ReceiveRound, askedMs: number): void {
    const { ReceiptHandle: receipt } = message;
    if (receipt === undefined) return;
    const event = readEvent(message);
    const receiveCount = Number(message.Attributes?.["ApproximateReceiveCount"] ?? 1);
    const waitsMs = event === undefined ? FOREIGN_MS : event.dueMs - this.#now();
    const untilMs = askedMs + round.holdMs;
    if (event === undefined || waitsMs > 0) round.back(receipt, secondsOf(waitsMs));
    else if (round.take(itemOf(event, `${untilMs} ${receipt}`, receiveCount)))
      this.#holds.set(receipt, { untilMs, isSent: false, isSettled: false });
    else {
      this.#givenBack.note(event);
      round.back(receipt, pauseSeconds(receiveCount));
    }
  }

  /** What cannot be given back comes again when its hold ends. */
  async #giveBack(round: ReceiveRound): Promise<void> {
    for (const [seconds, receipts] of round.given) {
      for (const batch of batchesOf(receipts)) await this.#api.hold(batch, seconds).catch(() => undefined);
    }
  }

  /** Messages are received with the shortest hold that was asked for: one of a longer call is held on at once. */
  async #prolong({ taken, holdMs, holdOf }: ReceiveRound): Promise<void> {
    const longer = Map.groupBy(taken, ({ lane }) => holdOf(lane));
    for (const [ms, items] of longer) {
      if (ms > holdMs) await this.extend(items, ms).catch(() => undefined);
    }
  }

  async #end(held: AsyncItem, next: readonly NewAsyncItem[]): Promise<Settlement> {
    const hold = this.#holdOf(held);
    if (hold === undefined) return "lost";
    // plant: what-comes-of-an-event-is-sent-to-sqs-again
    if (!hold.isSent) await this.#send(next);
    hold.isSent = true;
    await this.#api.remove([receiptOf(held)]);
    hold.isSettled = true;
    return "settled";
  }

  /** `undefined`: it has ended, as far as this handle can know. */
  #holdOf({ receipt }: AsyncItem): Hold | undefined {
    const handle = handleOf(receipt);
    const hold = this.#holds.get(handle) ?? {
      // Another handle gave it.
      untilMs: Number(receipt.slice(0, receipt.indexOf(" "))),
      isSent: false,
      isSettled: false,
    };
    if (hold.isSettled || hold.untilMs <= this.#now()) return undefined;
    this.#holds.set(handle, hold);
    return hold;
  }

  #forgetEnded(): void {
    const nowMs = this.#now();
    for (const [receipt, { untilMs }] of this.#holds) if (untilMs <= nowMs) this.#holds.delete(receipt);
  }
}

function itemOf(event: ReadEvent, receipt: string, receiveCount: number): AsyncItem {
  const { id, kind, lane, qualifier, body, state } = event;
  // SQS does not say since when it has been visible: of one that was never handed out its age says it.
  return { id, kind, lane, qualifier, body, state, receipt, receiveCount, waitedMs: 0 };
}

/** `UNTIL HANDLE`: any handle of the queue knows from it when the hold ends. */
function receiptOf({ receipt }: AsyncItem): string {
  return handleOf(receipt);
}

function handleOf(receipt: string): string {
  return receipt.slice(receipt.indexOf(" ") + 1);
}

/** What nobody can take now is left alone for longer each time, half a minute at most. */
function pauseSeconds(receiveCount: number): number {
  return Math.min(30, 2 ** Math.min(receiveCount - 1, 5));
}

function secondsOf(ms: number): number {
  return Math.min(HOLD_SECONDS_MAX, Math.max(0, Math.ceil(ms / 1000)));
}
