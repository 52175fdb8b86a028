import type { OutgoingRecord, RecordSender, SendOutcome } from "../ports/record-sender.ts";
import type { KeySkew } from "./key-skew.ts";
import type { Ledger } from "./ledger.ts";
import { encodePayload, keyName } from "./payload.ts";
import type { SeededRandom } from "./seeded-random.ts";

export interface RecordFeedOptions {
  readonly sender: RecordSender;
  readonly ledger: Ledger;
  /** Milliseconds since the start, in order. */
  readonly dueTimes: Iterator<number, undefined>;
  readonly keys: KeySkew;
  readonly sizes: SeededRandom;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly run: string;
  /** Milliseconds on the harness's monotonic clock. */
  readonly now: () => number;
  /** By how much records left the harness later than they were due. */
  readonly onSent: (lateMs: number, records: number) => void;
}

interface Pending extends OutgoingRecord {
  readonly keyNumber: number;
  readonly index: number;
  readonly dueMs: number;
}

const TICK_MS = 5;
/** Waiting to be sent: more means that the source takes fewer records than the scenario wants, for long. */
const BACKLOG_MAX = 200_000;

/**
 * Sends records when they are due, whatever the source, the engine and the function do: an open loop. A key has one
 * lane, and a lane sends one batch at a time, so that the order of a key in the source is the order of its indexes.
 */
export class RecordFeed {
  readonly #options: RecordFeedOptions;
  readonly #lanes: Lane[];
  #startMs = 0;
  #next: IteratorResult<number, undefined> = { done: false, value: 0 };
  #backlog = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #done = Promise.withResolvers<void>();

  constructor(options: RecordFeedOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: options.sender.concurrency }, () => ({
      pending: [],
      isSending: false,
    }));
  }

  get backlog(): number {
    return this.#backlog;
  }

  /** Resolves when the source has answered for the last record. @throws Error when the backlog has no end. */
  run(startMs: number): Promise<void> {
    this.#startMs = startMs;
    this.#next = this.#options.dueTimes.next();
    this.#tick();
    return this.#done.promise;
  }

  /** Sends nothing new. */
  stop(): void {
    this.#next = { done: true, value: undefined };
  }

  #tick(): void {
    const nowMs = this.#options.now();
    while (this.#next.done !== true && this.#startMs + this.#next.value <= nowMs) {
      this.#add(this.#startMs + this.#next.value);
      this.#next = this.#options.dueTimes.next();
    }
    if (this.#backlog > BACKLOG_MAX) {
      this.stop();
      this.#done.reject(
        new Error(`${this.#backlog} records wait to be sent: the source takes fewer than the scenario wants`),
      );
      return;
    }
    for (const lane of this.#lanes) this.#pump(lane);
    if (this.#next.done === true && this.#backlog === 0) this.#done.resolve();
    else this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  #add(dueMs: number): void {
    const { ledger, keys, sizes, bytes, bytesMax, run } = this.#options;
    const keyNumber = keys.next();
    const index = ledger.generate(keyNumber);
    const size = bytesMax > bytes ? sizes.between(bytes, bytesMax) : bytes;
    const data = encodePayload({ run, key: keyNumber, index, dueMs }, size);
    const lane = this.#lanes[keyNumber % this.#lanes.length];
    lane?.pending.push({ key: keyName(keyNumber), data, keyNumber, index, dueMs });
    this.#backlog += 1;
  }

  #pump(lane: Lane): void {
    if (lane.isSending || lane.pending.length === 0 || this.#isClosed) return;
    const batch = this.#takeBatch(lane);
    lane.isSending = true;
    const leftMs = this.#options.now();
    const lateMs = leftMs - (batch[0]?.dueMs ?? leftMs);
    const settle = (outcomes: readonly SendOutcome[]) => {
      for (const [place, { keyNumber, index }] of batch.entries()) {
        this.#options.ledger.sent(keyNumber, index, outcomes[place] ?? "unknown");
      }
      this.#backlog -= batch.length;
      lane.isSending = false;
      this.#options.onSent(lateMs, batch.length);
      this.#pump(lane);
    };
    this.#options.sender.send(batch).then(settle, () => settle([]));
  }

  #takeBatch(lane: Lane): readonly Pending[] {
    const { recordsMax, bytesMax, repeatsKeys } = this.#options.sender;
    const keys = new Set<number>();
    let bytes = 0;
    let count = 0;
    for (const { key, data, keyNumber } of lane.pending) {
      bytes += key.length + data.length;
      const isFull = bytes > bytesMax || count >= recordsMax || (!repeatsKeys && keys.has(keyNumber));
      if (count > 0 && isFull) break;
      keys.add(keyNumber);
      count += 1;
    }
    return lane.pending.splice(0, count);
  }

  /** What waits to be sent stays here: a test that has failed must not go on to fill its source. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}

interface Lane {
  readonly pending: Pending[];
  isSending: boolean;
}
