import type { StartPoint } from "../../src/model/record.ts";
import type { LogAnew } from "../../src/ports/stream-source.ts";
import type { EpochEnd } from "./fetch-response.ts";
import {
  epochBefore,
  epochsBefore,
  formatLogId,
  type LogIdentity,
  partingOffset,
  withEpoch,
} from "./log-identity.ts";

/**
 * Where a reader stands, and in which log: the next offset to fetch, the topic's id and the leader epochs of what was
 * read. Offsets mean something in their log only: when it turns out to be another, or to have lost its end, the reader
 * moves and owes an explanation (`LogAnew`) before it gives another record.
 */
export class LogPlace {
  readonly #shardId: string;
  #offset: number;
  #identity: LogIdentity;
  /** That the log went back is told when it has answered where reading goes on. */
  #owed: string | undefined;
  /** Where it stood before the log was found to have gone back. */
  #stoodAt: number | undefined;

  constructor(shardId: string, offset: number, { topicId, epochs }: LogIdentity) {
    this.#shardId = shardId;
    this.#offset = offset;
    this.#identity = { topicId, epochs: epochsBefore(epochs, offset) };
  }

  get offset(): number {
    return this.#offset;
  }

  get topicId(): string | undefined {
    return this.#identity.topicId;
  }

  /** The epoch of the record before the offset; −1: not known. */
  get lastEpoch(): number {
    // plant: leader-epochs-are-not-compared
    return epochBefore(this.#identity.epochs, this.#offset);
  }

  get logId(): string | undefined {
    return formatLogId(this.#identity);
  }

  moveTo(offset: number): void {
    this.#offset = offset;
  }

  /** The batch of records that begins at `from` was written in this epoch; −1: it does not say. */
  sawEpoch(epoch: number, from: number): void {
    if (epoch >= 0) this.#learn({ epochs: withEpoch(this.#identity.epochs, { epoch, from }) });
  }

  /** The log that answers is this topic's. */
  sawTopicId(topicId: string): void {
    if (this.#identity.topicId === undefined) this.#learn({ topicId });
  }

  /** The oldest offset that is left lies behind this place; of its records nothing was read. */
  trimmedTo(oldest: number): void {
    this.#offset = oldest;
    this.#learn({ epochs: [] });
  }

  /**
   * Another topic has the name. `topicId` is its own; `undefined`: that there was none for a while is all that is
   * known.
   */
  remade(topicId: string | undefined, oldest: number): LogAnew {
    const was = this.topicId;
    const ids = was === undefined || topicId === undefined ? "" : ` (its id was ${was} and is ${topicId})`;
    const told = `The topic of ${this.#shardId} was deleted and made anew${ids}: it is read from its oldest record on, offset ${oldest}.`;
    this.#stoodAt = undefined;
    this.#owed = undefined;
    this.#offset = oldest;
    this.#identity = { topicId, epochs: [] };
    return { because: "remade", told, from: this.#startPoint };
  }

  /**
   * The log has lost its end, and was perhaps written on: it is to be asked again at the offset where it may have
   * parted.
   */
  diverged(end: EpochEnd): void {
    const { epochs } = this.#identity;
    this.#stoodAt ??= this.#offset;
    this.#offset = partingOffset(epochs, end, this.#offset);
    this.#learn({ epochs: epochsBefore(epochs, this.#offset) });
  }

  /** The log ends before this place, and nobody can say how much of it is the one that was read. */
  wentBackSomewhere(oldest: number): void {
    const stoodAt = this.#stoodAt ?? this.#offset;
    this.#owed =
      `The log of ${this.#shardId} lost its end: it was read to offset ${stoodAt - 1} and ends before that now. Its leader ` +
      "epochs do not say how much of it is the same (the topic may have been made anew): it is read again from its oldest " +
      `record on, offset ${oldest}.`;
    this.#stoodAt = undefined;
    this.#offset = oldest;
    this.#learn({ epochs: [] });
  }

  /** The log has answered at this place: what is to be said before its records, once. */
  takeAnew(): LogAnew | undefined {
    const stoodAt = this.#stoodAt;
    const told =
      stoodAt === undefined
        ? this.#owed
        : `The log of ${this.#shardId} lost its end: it was read to offset ${stoodAt - 1}, and only what stands before offset ` +
          `${this.#offset} is the same now. A leader without the newest records was elected, or a broker lost them. Reading ` +
          "goes on there.";
    this.#stoodAt = undefined;
    this.#owed = undefined;
    return told === undefined ? undefined : { because: "wentBack", told, from: this.#startPoint };
  }

  get #startPoint(): StartPoint {
    return { kind: "after", position: String(this.#offset - 1) };
  }

  #learn(more: Partial<LogIdentity>): void {
    this.#identity = { ...this.#identity, ...more };
  }
}
