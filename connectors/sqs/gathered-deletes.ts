import type { Settlement } from "../../src/ports/queue-source.ts";
import { ENTRIES_MAX, type EntryFault } from "./sqs-api.ts";

/** A delete waits so long, at most, for others to go with it: far below any hold that a message may have. */
export const GATHER_MS_MAX = 5;

export interface GatheredDeletesOptions {
  /** Tells what was refused of at most `ENTRIES_MAX` messages, by their place. */
  deleteBatch(receiptHandles: readonly string[]): Promise<ReadonlyMap<number, EntryFault>>;
  settlementOf(fault: EntryFault | undefined): Settlement;
  /** The next message of a group waits for its delete, and the delete for nothing. */
  readonly isOrdered: boolean;
}

/** What one batch asked to have deleted. */
interface Wish {
  readonly settlements: Settlement[];
  open: number;
  calls: number;
  failedCalls: number;
  failure: unknown;
  resolve(settlements: readonly Settlement[]): void;
  reject(reason: unknown): void;
}

interface Entry {
  readonly receiptHandle: string;
  readonly wish: Wish;
  readonly place: number;
}

/**
 * Deletes of batches that end at about the same time, in common calls: with batches of one message, SQS would get a
 * call for each. The first goes at once; what comes while a call is under way waits for its end, for ten messages, or
 * for `GATHER_MS_MAX`. Each batch is told what became of its own messages, and only when SQS has answered for them.
 */
export class GatheredDeletes {
  readonly #options: GatheredDeletesOptions;
  #waiting: Entry[] = [];
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #isTurnPlanned = false;

  constructor(options: GatheredDeletesOptions) {
    this.#options = options;
  }

  /** In the order given. Rejects when every call that one of them was in has failed. */
  delete(receiptHandles: readonly string[]): Promise<readonly Settlement[]> {
    if (receiptHandles.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const open = receiptHandles.length;
      const settlements = new Array<Settlement>(open).fill("failed");
      const wish = { settlements, open, calls: 0, failedCalls: 0, failure: undefined, resolve, reject };
      receiptHandles.forEach((receiptHandle, place) => {
        this.#waiting.push({ receiptHandle, wish, place });
      });
      this.#sendFull();
      this.#planRest();
    });
  }

  #sendFull(): void {
    while (this.#waiting.length >= ENTRIES_MAX) this.#send();
  }

  #planRest(): void {
    if (this.#waiting.length === 0) return;
    if (this.#underWay === 0 || this.#options.isOrdered) {
      if (this.#isTurnPlanned) return;
      this.#isTurnPlanned = true;
      // Batches whose functions answered in the same turn of the event loop go together.
      setImmediate(() => {
        this.#isTurnPlanned = false;
        if (this.#waiting.length > 0) this.#send();
      });
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting.length > 0) this.#send();
    }, GATHER_MS_MAX);
  }

  #send(): void {
    const entries = this.#waiting.splice(0, ENTRIES_MAX);
    if (this.#waiting.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#underWay++;
    void this.#call(entries).finally(() => {
      this.#underWay--;
      if (this.#underWay === 0 && this.#waiting.length > 0) this.#send();
    });
  }

  async #call(entries: readonly Entry[]): Promise<void> {
    const { deleteBatch, settlementOf } = this.#options;
    const wishes = new Set(entries.map(({ wish }) => wish));
    for (const wish of wishes) wish.calls++;
    try {
      const faults = await deleteBatch(entries.map(({ receiptHandle }) => receiptHandle));
      entries.forEach(({ wish, place }, index) => {
        wish.settlements[place] = settlementOf(faults.get(index));
      });
    } catch (error) {
      for (const wish of wishes) {
        wish.failedCalls++;
        wish.failure ??= error;
      }
    }
    for (const { wish } of entries) wish.open--;
    for (const wish of wishes) {
      if (wish.open > 0) continue;
      if (wish.failedCalls === wish.calls) wish.reject(wish.failure);
      else wish.resolve(wish.settlements);
    }
  }
}
