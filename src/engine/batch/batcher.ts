import { Deque } from "../../lib/deque.ts";
import type { BufferedRecord } from "../stream/buffered-record.ts";

export interface BatchLimits {
  readonly batchSize: number;
  /** Largest event: envelope, elements and commas (streams §3.2). */
  readonly payloadBytesMax: number;
  readonly envelopeBytes: number;
}

/** Collects the records of one lane and cuts batches by number and by encoded bytes. */
export class Batcher {
  readonly #limits: BatchLimits;
  readonly #queue = new Deque<BufferedRecord>();
  /** Elements and one comma each. */
  #queuedBytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#queue.size;
  }

  get first(): BufferedRecord | undefined {
    return this.#queue.peek();
  }

  push(buffered: BufferedRecord): void {
    this.#queue.push(buffered);
    this.#queuedBytes += buffered.record.encodedBytes + 1;
  }

  /** A full batch is there: waiting would not make it larger. */
  get isFull(): boolean {
    const { batchSize, payloadBytesMax, envelopeBytes } = this.#limits;
    return this.#queue.size >= batchSize || envelopeBytes + this.#queuedBytes - 1 > payloadBytesMax;
  }

  takeAll(): readonly BufferedRecord[] {
    this.#queuedBytes = 0;
    return this.#queue.take(this.#queue.size);
  }

  /** All records of a key, in their order: they leave the queue. */
  takeKey(key: string): readonly BufferedRecord[] {
    const taken: BufferedRecord[] = [];
    for (const buffered of this.takeAll())
      if (buffered.record.key === key) taken.push(buffered);
      else this.push(buffered);
    return taken;
  }

  /**
   * The next batch: at least one record if there is one, at most those that `belongs` accepts in a row.
   * `extraBytes` is what the event needs beside envelope and elements.
   */
  take(extraBytes = 0, belongs: (buffered: BufferedRecord) => boolean = () => true) {
    const { batchSize, payloadBytesMax, envelopeBytes } = this.#limits;
    let bytes = envelopeBytes + extraBytes;
    let count = 0;
    let isCutBySize = false;
    // plant: a-batch-has-one-record-too-many
    while (count < batchSize) {
      const next = this.#queue.peek(count);
      if (next === undefined || !belongs(next)) break;
      bytes += next.record.encodedBytes + (count === 0 ? 0 : 1);
      // plant: the-payload-limit-does-not-count-commas-and-elements
      if (count > 0 && bytes > payloadBytesMax) {
        isCutBySize = true;
        break;
      }
      count++;
    }
    const records = this.#queue.take(count);
    for (const { record } of records) this.#queuedBytes -= record.encodedBytes + 1;
    return { records, isCutBySize };
  }
}
