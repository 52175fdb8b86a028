import type { StreamMapping } from "../../model/mapping.ts";
import type { StreamRecord } from "../../model/record.ts";
import type { BufferedRecord } from "./shard-context.ts";

/** When records are given up: by the mapping's record age, or because the source keeps them no longer (streams §5.3). */
export class Expiry {
  readonly #recordAgeMsMax: number;
  readonly #retentionMs: number;

  constructor(mapping: StreamMapping, retentionMs: number | undefined) {
    this.#recordAgeMsMax = mapping.recordAgeMsMax ?? Number.POSITIVE_INFINITY;
    this.#retentionMs = retentionMs ?? Number.POSITIVE_INFINITY;
  }

  /** Epoch milliseconds at which the first of the records is given up; infinite where nothing is. */
  firstMs(records: readonly BufferedRecord[]): number {
    const limitMs = Math.min(this.#recordAgeMsMax, this.#retentionMs);
    if (limitMs === Number.POSITIVE_INFINITY) return limitMs;
    let expiryMs = Number.POSITIVE_INFINITY;
    for (const { record } of records) expiryMs = Math.min(expiryMs, record.arrivalMs + limitMs);
    return expiryMs;
  }

  /** `aged` go to the destination, `gone` nowhere: the source has expired them first. Each keeps its order. */
  sort(records: readonly BufferedRecord[], nowMs: number) {
    const aged: BufferedRecord[] = [];
    const gone: BufferedRecord[] = [];
    const live: BufferedRecord[] = [];
    for (const buffered of records) this.#listOf(buffered.record, nowMs, aged, gone, live).push(buffered);
    return { aged, gone, live };
  }

  #listOf<List>(record: StreamRecord, nowMs: number, aged: List, gone: List, live: List): List {
    const ageMs = nowMs - record.arrivalMs;
    if (ageMs >= this.#recordAgeMsMax) return aged;
    return ageMs >= this.#retentionMs ? gone : live;
  }
}
