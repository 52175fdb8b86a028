import type { AttemptState, NewAsyncItem } from "../../../src/model/async-item.ts";
import type { AsyncItem, AsyncQueue, AsyncReceive, CursorMove } from "../../../src/ports/async-queue.ts";
import type { Settlement } from "../../../src/ports/queue-source.ts";
import type { FaultyWay } from "../control/faulty-way.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { EventLedger, SettlementKind } from "./event-ledger.ts";
import type { EventProcess } from "./event-process.ts";

/** One process's way to the queue of all: what takes effect there is told to the ledger. */
export class WatchedQueue implements AsyncQueue {
  readonly description;
  readonly #queue: AsyncQueue;
  readonly #ledger: EventLedger;
  readonly #time: VirtualTime;
  /** Items are on their way to the process. */
  readonly #onHandedOut: () => void;
  #process: EventProcess | undefined;
  #way: FaultyWay | undefined;

  constructor(queue: AsyncQueue, ledger: EventLedger, time: VirtualTime, onHandedOut: () => void) {
    this.#queue = queue;
    this.#ledger = ledger;
    this.#time = time;
    this.#onHandedOut = onHandedOut;
    this.description = queue.description;
  }

  serve(process: EventProcess, way: FaultyWay): void {
    this.#process = process;
    this.#way = way;
  }

  put(items: readonly NewAsyncItem[], cursor?: CursorMove) {
    return this.#call(async () => {
      const answer = await this.#queue.put(items, cursor);
      for (const item of items) this.#ledger.onPut(item, this.#time.now);
      return answer;
    });
  }

  has(id: string) {
    return this.#call(() => this.#queue.has(id));
  }

  cursors(prefix: string) {
    return this.#call(() => this.#queue.cursors(prefix));
  }

  async receive(wanted: AsyncReceive, signal: AbortSignal) {
    const received = await this.#call(async (process) => {
      const items = await this.#queue.receive(wanted, signal);
      for (const item of items) {
        const holdMs = wanted.lanes.find(({ lane }) => lane === item.lane)?.holdMs ?? 0;
        this.#ledger.onReceived(item, process, this.#time.now, holdMs);
      }
      if (items.length > 0) this.#onHandedOut();
      return items;
    });
    for (const item of received) this.#ledger.onInHand(item);
    return received;
  }

  retry(held: AsyncItem, state: AttemptState, delayMs: number) {
    return this.#settle(held, "retry", [], () => this.#queue.retry(held, state, delayMs));
  }

  finish(held: AsyncItem, next: readonly NewAsyncItem[]) {
    return this.#settle(held, "finish", next, () => this.#queue.finish(held, next));
  }

  release(held: AsyncItem, delayMs: number) {
    return this.#settle(held, "release", [], () => this.#queue.release(held, delayMs));
  }

  extend(held: readonly AsyncItem[], holdMs: number) {
    return this.#call(async () => {
      const answers = await this.#queue.extend(held, holdMs);
      for (const [index, item] of held.entries())
        if (answers[index] === "settled") this.#ledger.onExtended(item, this.#time.now + holdMs);
      return answers;
    });
  }

  backlog() {
    return this.#call(() => this.#queue.backlog());
  }

  list(lane: string, max: number) {
    return this.#call(() => this.#queue.list(lane, max));
  }

  get(id: string) {
    return this.#call(() => this.#queue.get(id));
  }

  async close() {}

  #settle(
    held: AsyncItem,
    kind: SettlementKind,
    next: readonly NewAsyncItem[],
    work: () => Promise<Settlement>,
  ): Promise<Settlement> {
    return this.#call(async () => {
      const answer = await work();
      if (answer !== "settled") return answer;
      this.#ledger.onSettled(held, kind, next, this.#time.now);
      for (const item of next) this.#ledger.onPut(item, this.#time.now);
      return answer;
    });
  }

  #call<T>(work: (process: EventProcess) => Promise<T>): Promise<T> {
    const [process, way] = [this.#process, this.#way];
    // What its last job asks for behind its death is never sent.
    if (process === undefined || way === undefined || process.clock.isDead)
      return new Promise(() => undefined);
    return way.call(() => work(process));
  }
}
