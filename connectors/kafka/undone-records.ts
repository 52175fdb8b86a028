import { describeError } from "../../src/model/errors.ts";
import { isFault } from "./fault.ts";
import { createKafkaRecord, type KafkaMessage, type KafkaPartition, type KafkaRecord } from "./record.ts";
import { type FetchedRecords, RecordBatches } from "./record-batch.ts";

export interface UndoneRecordsOptions {
  readonly partition: KafkaPartition;
  readonly epochMs: () => number;
}

/**
 * What was fetched of one partition, undone as it is taken: never much more of it is in memory than was asked for. What
 * cannot be read is fetched once more, and then given up as one record, so that its neighbours go on.
 */
export class UndoneRecords {
  readonly #options: UndoneRecordsOptions;
  #batches: RecordBatches | undefined;
  /** Made, and not given yet: one that was too many, or those of a take that was aborted. */
  #records: KafkaRecord[] = [];
  #nextOffset = 0;
  /** Where bytes could not be read. */
  #damagedAt: number | undefined;

  constructor(options: UndoneRecordsOptions) {
    this.#options = options;
  }

  /** There is nothing left to take, as far as anyone knows. */
  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#batches === undefined;
  }

  /** Behind all that was undone, since something was opened: where the next fetch goes on. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Behind what was taken. */
  get takenOffset(): number {
    const [first] = this.#records;
    return first === undefined ? this.#nextOffset : Number(first.position);
  }

  /** Goes on with what a fetch has brought. Only when it is empty. */
  open(fetched: FetchedRecords): void {
    this.#batches = new RecordBatches(fetched);
    this.#nextOffset = fetched.fetchOffset;
  }

  /**
   * The next records: at most so many of them, at most so many bytes, but one if there is one. None: a fetch is next.
   * @throws KafkaFault for what cannot be read at first; ERR_MILLRACE_ABORTED, and the next take goes on where this one
   * was.
   */
  async take(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<readonly KafkaRecord[]> {
    const { partition, epochMs } = this.#options;
    const readMs = epochMs();
    let bytes = this.#records.reduce((sum, record) => sum + record.bytes, 0);
    const give = (message: KafkaMessage): boolean => {
      const record = createKafkaRecord(partition, message, readMs);
      bytes += record.bytes;
      this.#records.push(record);
      return this.#records.length < recordsMax && bytes < bytesMax;
    };
    if (this.#records.length < recordsMax && bytes < bytesMax) await this.#undo(give, signal);
    return this.#split(recordsMax, bytesMax);
  }

  async #undo(give: (message: KafkaMessage) => boolean, signal: AbortSignal): Promise<void> {
    for (let batches = this.#batches; batches !== undefined; batches = this.#batches) {
      try {
        const hasMore = await batches.next(give, signal);
        this.#nextOffset = batches.nextOffset;
        if (!hasMore) await this.#close();
        return;
      } catch (error) {
        this.#nextOffset = batches.nextOffset;
        if (!(await this.#passOver(batches, error, give))) return;
      }
    }
  }

  /** `true`: what could not be read is given up, and reading goes on behind it. */
  async #passOver(
    batches: RecordBatches,
    error: unknown,
    give: (message: KafkaMessage) => boolean,
  ): Promise<boolean> {
    if (!isFault(error, "corrupt", "tooLarge")) throw error;
    const { nextOffset } = batches;
    // plant: a-batch-that-cannot-be-read-is-asked-for-again-for-ever
    const isSaidTwice = this.#damagedAt === nextOffset || isFault(error, "tooLarge");
    const range = isSaidTwice ? await batches.passOver() : undefined;
    if (range === undefined) {
      await this.#close();
      // What stands before it is given first; the fault comes again with the next fetch.
      if (this.#records.length > 0) return false;
      this.#damagedAt = nextOffset;
      throw error;
    }
    this.#damagedAt = undefined;
    this.#nextOffset = batches.nextOffset;
    return give(unreadable(range.from, range.to, describeError(error.cause ?? error)));
  }

  #split(recordsMax: number, bytesMax: number): readonly KafkaRecord[] {
    let bytes = 0;
    let count = 0;
    for (const record of this.#records) {
      bytes += record.bytes;
      if (count >= recordsMax || (count > 0 && bytes > bytesMax)) break;
      count++;
    }
    return this.#records.splice(0, count);
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async #close(): Promise<void> {
    const batches = this.#batches;
    this.#batches = undefined;
    await batches?.close();
  }
}

/** One record in the place of all that cannot be read: at the last offset, so that progress moves behind them. */
function unreadable(from: number, to: number, why: string): KafkaMessage {
  return {
    ...{ offset: to, key: null, value: null, headers: [], timestampMs: -1, timestampType: "CREATE_TIME" },
    damage: `the offsets ${from} to ${to} cannot be read: ${why}`,
  };
}
