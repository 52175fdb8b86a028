import { turn } from "../../src/lib/steps.ts";
import { MillraceError } from "../../src/model/errors.ts";
import { BatchTooLarge } from "./batch-body.ts";
import {
  BATCH_HEAD_BYTES,
  type BatchHead,
  batchEnd,
  claimedLastOffset,
  isAbortMarker,
  MAGIC,
  MAGIC_AT,
  readHead,
} from "./batch-head.ts";
import { KafkaFault, throwIfAborted } from "./fault.ts";
import { type OpenBatch, openBatch } from "./open-batch.ts";
import type { KafkaMessage } from "./record.ts";

/** A transaction of a fetched range that was given up: its records are not to be seen. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What one fetch gave of one partition. */
export interface FetchedRecords {
  readonly bytes: Buffer;
  /** What was asked for; batches may begin before it. */
  readonly fetchOffset: number;
  /** In the order of their first offsets. */
  readonly aborted: readonly AbortedTransaction[];
  /** For messages: `orders-3`. */
  readonly shardId: string;
  /** Told of every batch: the epoch of the leader that wrote it (−1: not known), and its first offset. */
  readonly onEpoch?: (epoch: number, baseOffset: number) => void;
}

/** What a batch's head costs, which may be all that is read of it. */
const HEAD_WORK_BYTES = 100;

/** What is given up of a batch that cannot be read. */
export interface GivenUpRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The record batches of one fetch, undone a part at a time as the reader gets to them: what a batch claims to hold
 * costs nothing until it is asked for. Batches of control records and of aborted transactions are passed over;
 * `nextOffset` moves behind them all the same, and behind gaps that compaction left.
 */
export class RecordBatches {
  readonly #fetched: FetchedRecords;
  readonly #abortedProducers = new Set<bigint>();
  #nextAborted = 0;
  #at = 0;
  #open: OpenBatch | undefined;
  #nextOffset: number;

  constructor(fetched: FetchedRecords) {
    this.#fetched = fetched;
    this.#nextOffset = fetched.fetchOffset;
  }

  /** Behind what was passed so far: where the next fetch goes on. */
  get nextOffset(): number {
    return Math.max(this.#nextOffset, this.#open?.nextOffset ?? 0);
  }

  /**
   * Gives messages in order until `give` wants no more (`true`), or there is no further whole batch (`false`). The
   * message is one object, filled anew for each.
   * @throws KafkaFault for bytes that cannot be read; what came before them has been given. ERR_MILLRACE_ABORTED.
   */
  async next(give: (message: KafkaMessage) => boolean, signal: AbortSignal): Promise<boolean> {
    try {
      for (;;) {
        throwIfAborted(signal);
        this.#open ??= await this.#openNext();
        if (this.#open === undefined) return false;
        if (await this.#open.give(give, signal)) return true;
        this.#passed(this.#open);
      }
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      throw error instanceof BatchTooLarge ? this.#tooLarge(error) : this.#corrupt(error);
    }
  }

  /**
   * Passes over what is left of the batch that could not be read. `undefined`: where it ends cannot be told, so that
   * nothing behind it can be read either.
   */
  async passOver(): Promise<GivenUpRange | undefined> {
    const { bytes } = this.#fetched;
    const from = this.nextOffset;
    const claimed = this.#open?.head.lastOffset ?? claimedLastOffset(bytes, this.#at);
    const end = this.#open?.end ?? batchEnd(bytes, this.#at);
    this.#nextOffset = from;
    await this.close();
    if (end > bytes.length || end < this.#at + BATCH_HEAD_BYTES) return undefined;
    // A head that claims too much is not to take its neighbours with it.
    const next = bytes.length - end >= 8 ? Number(bytes.readBigInt64BE(end)) : Number.POSITIVE_INFINITY;
    const to = Math.max(from, next > from ? Math.min(claimed, next - 1) : claimed);
    if (!Number.isSafeInteger(to)) return undefined;
    this.#at = end;
    this.#nextOffset = to + 1;
    return { from, to };
  }

  /** Frees what is undone and not given. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#nextOffset = this.nextOffset;
    this.#open = undefined;
    await open?.close();
  }

  #passed({ head, end }: OpenBatch): void {
    this.#nextOffset = Math.max(this.#nextOffset, head.lastOffset + 1);
    this.#at = end;
    this.#open = undefined;
  }

  /** The next batch that has records to be seen. */
  async #openNext(): Promise<OpenBatch | undefined> {
    const { bytes, fetchOffset } = this.#fetched;
    while (bytes.length - this.#at >= BATCH_HEAD_BYTES) {
      const end = batchEnd(bytes, this.#at);
      // A fetch cuts its last batch where its bytes end.
      if (end > bytes.length) return undefined;
      await turn.roomFor(HEAD_WORK_BYTES, 1);
      turn.count(HEAD_WORK_BYTES, 1);
      if (bytes[this.#at + MAGIC_AT] !== MAGIC) throw this.#tooOld();
      if (end < this.#at + BATCH_HEAD_BYTES) throw new RangeError("it says to end before its head does");
      const head = readHead(bytes, this.#at, end);
      this.#fetched.onEpoch?.(head.leaderEpoch, head.baseOffset);
      const isSeen = this.#isSeen(head, this.#at + BATCH_HEAD_BYTES, end);
      if (isSeen && head.lastOffset >= fetchOffset) {
        return await openBatch(head, bytes.subarray(this.#at + BATCH_HEAD_BYTES, end), end, fetchOffset);
      }
      this.#nextOffset = Math.max(this.#nextOffset, head.lastOffset + 1);
      this.#at = end;
    }
    return undefined;
  }

  /** Follows the transactions: a producer's batches are left out from its aborted transaction's start to its marker. */
  #isSeen(head: BatchHead, bodyAt: number, end: number): boolean {
    const { aborted, bytes } = this.#fetched;
    for (;;) {
      const next = aborted[this.#nextAborted];
      if (next === undefined || next.firstOffset > head.lastOffset) break;
      this.#abortedProducers.add(next.producerId);
      this.#nextAborted++;
    }
    if (head.isControl) {
      if (isAbortMarker(bytes, bodyAt, end)) this.#abortedProducers.delete(head.producerId);
      return false;
    }
    return !(head.isTransactional && this.#abortedProducers.has(head.producerId));
  }

  #corrupt(cause: unknown): KafkaFault {
    const text = cause instanceof Error ? cause.message : String(cause);
    return new KafkaFault(
      "corrupt",
      `The batch of records at offset ${this.nextOffset} of ${this.#fetched.shardId} cannot be read: ${text}. It is ` +
        "fetched once more; what then still cannot be read is given up as one record.",
      { cause },
    );
  }

  #tooLarge(cause: BatchTooLarge): KafkaFault {
    return new KafkaFault(
      "tooLarge",
      `The batch of records at offset ${this.nextOffset} of ${this.#fetched.shardId} is not read to its end: ${cause.message}.`,
      { cause },
    );
  }

  #tooOld(): KafkaFault {
    return new KafkaFault(
      "unsupported",
      `${this.#fetched.shardId} holds messages in the format of Kafka before 0.11 at offset ${this.nextOffset}, which is ` +
        "not read. Reset the consumer group behind them, or copy the topic.",
    );
  }
}
