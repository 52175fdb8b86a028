import { batchBytes } from "../unit/connectors/kafka/batch-bytes.ts";
import type { SampleRecord } from "./stream-source-harness.ts";

interface Entry {
  readonly offset: number;
  readonly epoch: number;
  readonly arrivalMs: number;
  /** `undefined`: a marker, or of a transaction that was given up. */
  readonly record: SampleRecord | undefined;
  readonly bytes: Buffer;
}

const PRODUCER = 7;

/** The log of one partition, as its leader has it. */
export class ScriptedLog {
  start = 0;
  #entries: Entry[] = [];
  #epochs = [{ epoch: 0, from: 0 }];
  #nextEpoch = 1;
  #hasMoved = false;
  readonly #aborted: { producerId: number; firstOffset: number }[] = [];

  get end(): number {
    return (this.#entries.at(-1)?.offset ?? this.start - 1) + 1;
  }

  get aborted(): readonly { readonly producerId: number; readonly firstOffset: number }[] {
    return this.#aborted;
  }

  get #epoch(): number {
    return this.#epochs.at(-1)?.epoch ?? 0;
  }

  append(records: readonly SampleRecord[]): void {
    for (const record of records) this.#add(record, {});
  }

  appendAt(record: SampleRecord, time: bigint): void {
    this.#add(record, { time });
  }

  /** A transaction with one record that is given up. */
  appendAborted(): void {
    this.#aborted.push({ producerId: PRODUCER, firstOffset: this.end });
    const producerId = BigInt(PRODUCER);
    this.#add(undefined, { producerId, isTransactional: true });
    this.#add(undefined, { producerId, marker: "abort" });
  }

  /** A leader is elected that has no more than this. */
  elect(end: number): void {
    this.#entries = this.#entries.filter(({ offset }) => offset < end);
    this.#epochs = this.#epochs.filter(({ from }) => from < end);
    this.#epochs.push({ epoch: this.#nextEpoch++, from: end });
    this.#hasMoved = true;
  }

  /** Once after an election: who asks the old leader is sent away. */
  takeMove(): boolean {
    const hasMoved = this.#hasMoved;
    this.#hasMoved = false;
    return hasMoved;
  }

  trimBefore(epochMs: number): void {
    const first = this.#entries.find(({ arrivalMs }) => arrivalMs >= epochMs);
    const { end } = this;
    this.#entries = this.#entries.filter(({ arrivalMs }) => arrivalMs >= epochMs);
    this.start = first?.offset ?? end;
  }

  /** Offset behind the n-th record that readers see. */
  offsetBehind(count: number): number {
    const seen = this.#entries.filter(({ record }) => record !== undefined);
    return count === 0 ? this.start : (seen[count - 1]?.offset ?? -1) + 1;
  }

  offsetAt(epochMs: number): number | undefined {
    return this.#entries.find(({ arrivalMs }) => arrivalMs >= epochMs)?.offset;
  }

  /** As `OffsetForLeaderEpoch` answers. */
  epochEnd(asked: number): { readonly epoch: number; readonly endOffset: number } {
    if (asked > this.#epoch) return { epoch: -1, endOffset: -1 };
    const index = this.#epochs.findLastIndex(({ epoch }) => epoch <= asked);
    const found = this.#epochs[index];
    if (found === undefined) return { epoch: asked, endOffset: this.#epochs[0]?.from ?? this.end };
    return { epoch: found.epoch, endOffset: this.#epochs[index + 1]?.from ?? this.end };
  }

  /** At least one batch, if there is any. */
  bytesFrom(offset: number, bytesMax: number): Buffer {
    const parts: Buffer[] = [];
    let bytes = 0;
    for (const entry of this.#entries) {
      if (entry.offset < offset) continue;
      bytes += entry.bytes.length;
      if (bytes > bytesMax && parts.length > 0) break;
      parts.push(entry.bytes);
    }
    return Buffer.concat(parts);
  }

  #add(
    record: SampleRecord | undefined,
    {
      time,
      ...kind
    }: {
      readonly producerId?: bigint;
      readonly isTransactional?: boolean;
      readonly marker?: "abort";
      readonly time?: bigint;
    },
  ): void {
    const { end: offset } = this;
    const arrivalMs = Date.now();
    const epoch = this.#epoch;
    const bytes = batchBytes({
      ...{ ...kind, baseOffset: offset, leaderEpoch: epoch, baseTimestampMs: time ?? arrivalMs },
      records: [
        record === undefined ? { offset: 0 } : { offset: 0, key: record.key, value: record.data },
      ].map((each) => ({ ...each, offset })),
    });
    this.#entries.push({ offset, epoch, arrivalMs, record, bytes });
  }
}
