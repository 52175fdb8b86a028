import type { Clock } from "../../ports/clock.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";

/** AWS's texts for `LastProcessingResult` (streams §1.4), and one for what AWS gives no text to. */
export type ProcessingResult =
  | "No records processed"
  | "OK"
  | typeof CALL_FAILED
  | typeof DESTINATION_REFUSES;

export const CALL_FAILED = "PROBLEM: Function call failed";

/** Stands before the result of invocations: nothing goes on where something waits for its destination. */
export const DESTINATION_REFUSES = "PROBLEM: Failure destination does not accept records";

/** What fails all the time is told of so often, with a count, and not once for every invocation. */
const INTERVAL_MS = 10_000;
/** A function may fail in any number of ways: beyond so many at a time they share one line. */
const REASONS_MAX = 16;
const OTHERS = "";

interface Telling {
  /** Failures since the last line that told of them. */
  untold: number;
  tellAtMs: number;
}

/** How the invocations of a mapping go: its last result, and for each reason a line now and then while they fail. */
export class FailureLog {
  readonly #mapping: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  #lastResult: ProcessingResult = "No records processed";
  readonly #tellings = new Map<string, Telling>();

  constructor(mapping: string, clock: Clock, telemetry: Telemetry) {
    this.#mapping = mapping;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  get lastResult(): ProcessingResult {
    return this.#lastResult;
  }

  /**
   * `problem`: an outcome or error type, never content of records or responses; `undefined`: it went well. Every
   * attempt that did not do its work comes here, whether the function ran or refused or could not be reached.
   */
  report(problem: string | undefined, where: LogFields): void {
    this.#lastResult = problem === undefined ? "OK" : CALL_FAILED;
    if (problem === undefined) return;
    const nowMs = this.#clock.monotonic();
    const { errorId } = where;
    const telling = this.#tellingOf(typeof errorId === "string" ? errorId : problem, nowMs);
    telling.untold++;
    if (nowMs < telling.tellAtMs) return;
    const fields = { mapping: this.#mapping, ...where, reason: problem, failures: telling.untold };
    const message = "invocations fail; their batches are retried or given up as the mapping says";
    this.#telemetry.log("warn", message, fields);
    telling.untold = 0;
    telling.tellAtMs = nowMs + INTERVAL_MS;
  }

  #tellingOf(problem: string, nowMs: number): Telling {
    const known = this.#tellings.get(problem);
    if (known !== undefined) return known;
    this.#forgetTold(nowMs);
    const reason = this.#tellings.size < REASONS_MAX ? problem : OTHERS;
    let telling = this.#tellings.get(reason);
    if (telling === undefined) {
      telling = { untold: 0, tellAtMs: Number.NEGATIVE_INFINITY };
      this.#tellings.set(reason, telling);
    }
    return telling;
  }

  #forgetTold(nowMs: number): void {
    const isFull = this.#tellings.size >= REASONS_MAX;
    for (const [reason, { untold, tellAtMs }] of this.#tellings) {
      if (tellAtMs <= nowMs && (untold === 0 || isFull)) this.#tellings.delete(reason);
    }
  }
}
