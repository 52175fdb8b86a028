import type { KinesisRecord } from "../../src/model/kinesis-event.ts";

/** The records of one page or event, handed out in parts when a read may not take all: never more than one of them. */
export class RecordBuffer {
  #records: readonly KinesisRecord[] = [];
  #next = 0;

  get isEmpty(): boolean {
    return this.#next >= this.#records.length;
  }

  /** Only when empty. */
  fill(records: readonly KinesisRecord[]): void {
    this.#records = records;
    this.#next = 0;
  }

  /** At least one record if there is one, else within both bounds. */
  take(recordsMax: number, bytesMax: number): readonly KinesisRecord[] {
    const from = this.#next;
    let end = from;
    let bytes = 0;
    for (const limit = Math.min(this.#records.length, from + recordsMax); end < limit; end++) {
      bytes += this.#records[end]?.bytes ?? 0;
      if (bytes > bytesMax && end > from) break;
    }
    const isWhole = from === 0 && end === this.#records.length;
    const taken = isWhole ? this.#records : this.#records.slice(from, end);
    this.#next = end;
    if (this.isEmpty) this.fill([]);
    return taken;
  }
}
