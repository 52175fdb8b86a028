import { describeError } from "../../model/errors.ts";
import type { Position } from "../../model/record.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import type { ShardContext } from "./shard-context.ts";

/** How soon to look again for an answer that is under way. */
const LOOK_MS = 1_000;

type WatchContext = Pick<
  ShardContext,
  "source" | "shardId" | "mapping" | "clock" | "settings" | "telemetry" | "stopSignal"
>;

/**
 * Asks the source for the records of a batch that is retried for long: "until the record expires" (streams §5.3) ends
 * when the source itself says that it serves them no more, twice, some seconds apart. No clock of ours takes its place:
 * hosts' clocks are off by hours, retentions are changed, and sources serve records beyond theirs.
 *
 * It asks beside the retries: a source that does not answer holds up no attempt.
 */
export class RetryWatch {
  readonly #context: WatchContext;
  #askAtMs: number;
  #isAsking = false;
  /** The last record that a first answer, at that moment, called gone; all before it are older. */
  #doubt: { readonly last: BufferedRecord; readonly sinceMs: number } | undefined;
  #goneTo: Position | undefined;

  /** To be made when the first attempt has failed. */
  constructor(context: WatchContext) {
    this.#context = context;
    const isAnswered = context.source.stillServes !== undefined;
    this.#askAtMs = isAnswered
      ? context.clock.monotonic() + context.settings.expiryCheckMs
      : Number.POSITIVE_INFINITY;
  }

  /** Monotonic time at which to look again; infinite: nothing is to be learnt. */
  get lookAtMs(): number {
    return this.#isAsking ? this.#context.clock.monotonic() + LOOK_MS : this.#askAtMs;
  }

  /** How many of these records, which are in order, the source is known to serve no more. Asks it when that is due. */
  goneOf(records: readonly BufferedRecord[]): number {
    const { source, clock } = this.#context;
    const goneTo = this.#goneTo;
    if (goneTo !== undefined) {
      const isGone = ({ record }: BufferedRecord) => source.comparePositions(record.position, goneTo) <= 0;
      const kept = records.findIndex((buffered) => !isGone(buffered));
      const gone = kept === -1 ? records.length : kept;
      if (gone > 0) return gone;
    }
    if (records.length > 0 && !this.#isAsking && clock.monotonic() >= this.#askAtMs) {
      this.#isAsking = true;
      void this.#ask(records);
    }
    return 0;
  }

  async #ask(records: readonly BufferedRecord[]): Promise<void> {
    const { clock, settings, telemetry, mapping, shardId, stopSignal } = this.#context;
    let nextInMs = settings.expiryCheckMs;
    try {
      const doubt = this.#doubt;
      if (doubt === undefined) {
        const gone = await this.#countGone(records);
        const last = records[gone - 1];
        if (last !== undefined) {
          this.#doubt = { last, sinceMs: clock.monotonic() };
          nextInMs = settings.secondAnswerMs;
        }
      } else {
        if (!(await this.#isServed(doubt.last))) this.#goneTo = doubt.last.record.position;
        this.#doubt = undefined;
      }
    } catch (error) {
      // No answer is no word: the record goes on being tried.
      if (!stopSignal.aborted) {
        const fields = { mapping: mapping.name, shardId, error: describeError(error) };
        telemetry.log("debug", "the source did not say whether it still serves a retried record", fields);
      }
    }
    this.#isAsking = false;
    this.#askAtMs = clock.monotonic() + nextInMs;
  }

  /** Sources trim from the oldest record on, so that the gone ones are the first. */
  async #countGone(records: readonly BufferedRecord[]): Promise<number> {
    const first = records[0];
    if (first === undefined || (await this.#isServed(first))) return 0;
    let gone = 1;
    let served = records.length;
    while (gone < served) {
      const middle = (gone + served) >> 1;
      const buffered = records[middle];
      if (buffered === undefined || (await this.#isServed(buffered))) served = middle;
      else gone = middle + 1;
    }
    return gone;
  }

  async #isServed({ record, read }: BufferedRecord): Promise<boolean> {
    const { source, shardId, stopSignal } = this.#context;
    // plant: a-record-that-is-retried-for-long-is-called-expired-without-asking-the-source
    return (await source.stillServes?.(shardId, record.position, stopSignal, read.logId)) ?? true;
  }
}
