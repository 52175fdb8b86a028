import { knownArrivalMs } from "../../model/arrival.ts";
import type { StreamMapping } from "../../model/mapping.ts";
import type { BufferedRecord, ReadMoment } from "./buffered-record.ts";

/**
 * Which records are too old by `MaximumRecordAgeInSeconds` (streams §5.3). The age of a record is what the source's own
 * clock says, the date of the answer that brought it less its arrival, and what our monotonic clock has measured since.
 * The host's wall clock has no part in it: it may be hours off. Where answers carry no date, age counts from the first
 * read. A record whose arrival is absent or absurd has no age, and does not grow too old.
 *
 * What the source's retention ends only the source can say: see `RetryWatch`.
 */
export class Expiry {
  readonly #recordAgeMsMax: number;

  constructor({ recordAgeMsMax }: Pick<StreamMapping, "recordAgeMsMax">) {
    this.#recordAgeMsMax = recordAgeMsMax ?? Number.POSITIVE_INFINITY;
  }

  /** Monotonic time at which the record is given up for its age; infinite: never. */
  dueMs({ record, read }: BufferedRecord): number {
    if (this.#recordAgeMsMax === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const arrivalMs = knownArrivalMs(record.arrivalMs);
    // plant: a-record-without-an-arrival-time-counts-as-the-oldest-of-all
    if (arrivalMs === undefined) return Number.POSITIVE_INFINITY;
    // plant: the-age-of-a-record-is-judged-by-the-hosts-wall-clock
    const ageAtReadMs = read.answeredMs === undefined ? 0 : read.answeredMs - arrivalMs;
    // plant: records-are-given-up-at-half-their-age
    return read.monotonicMs + this.#recordAgeMsMax - ageAtReadMs;
  }

  /** The same of the first of them that is given up. */
  firstDueMs(records: readonly BufferedRecord[]): number {
    let dueMs = Number.POSITIVE_INFINITY;
    if (this.#recordAgeMsMax === dueMs) return dueMs;
    for (const buffered of records) dueMs = Math.min(dueMs, this.dueMs(buffered));
    return dueMs;
  }
}

/**
 * `aged` go to the destination, `gone` nowhere: the source has expired them first, the first `goneCount`. Each keeps
 * its order.
 */
export function sortExpired(
  records: readonly BufferedRecord[],
  expiry: Expiry,
  goneCount: number,
  nowMs: number,
) {
  const first = records[goneCount];
  const aged: BufferedRecord[] = [];
  const gone: BufferedRecord[] = [];
  const live: BufferedRecord[] = [];
  for (const buffered of records) {
    const isAged = expiry.dueMs(buffered) <= nowMs;
    const isGone = first === undefined || buffered.ordinal < first.ordinal;
    // plant: records-that-are-too-old-are-forgotten
    (isAged ? aged : isGone ? gone : live).push(buffered);
  }
  return { aged, gone, live };
}

/**
 * When a record arrived, in monotonic time, by the source's clock where its answers carry a date; `undefined`: nobody
 * knows. For people and metrics: the host's wall clock stands in where there is no date, and settles nothing.
 */
export function bornMs(arrivalMs: number | undefined, read: ReadMoment): number | undefined {
  const known = knownArrivalMs(arrivalMs);
  if (known === undefined) return undefined;
  return read.monotonicMs - Math.max(0, (read.answeredMs ?? read.wallMs) - known);
}
