import type { Clock } from "../../ports/clock.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";

/** AWS's texts for `LastProcessingResult` (streams §1.4). */
export type ProcessingResult = "No records processed" | "OK" | "PROBLEM: Function call failed";

/** A function that fails all the time is told of so often, with a count, and not once for every invocation. */
const INTERVAL_MS = 10_000;

/** How the invocations of a mapping go: its last result, and a line now and then while they fail. */
export class FailureLog {
  readonly #mapping: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  #lastResult: ProcessingResult = "No records processed";
  /** Failed invocations since the last line that told of them. */
  #untold = 0;
  #tellAtMs = Number.NEGATIVE_INFINITY;

  constructor(mapping: string, clock: Clock, telemetry: Telemetry) {
    this.#mapping = mapping;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  get lastResult(): ProcessingResult {
    return this.#lastResult;
  }

  /** `problem`: an outcome or error type, never content of records or responses; `undefined`: it went well. */
  report(problem: string | undefined, where: LogFields): void {
    this.#lastResult = problem === undefined ? "OK" : "PROBLEM: Function call failed";
    if (problem === undefined) return;
    this.#untold++;
    const nowMs = this.#clock.monotonic();
    if (nowMs < this.#tellAtMs) return;
    const fields = { mapping: this.#mapping, ...where, reason: problem, failures: this.#untold };
    const message = "invocations fail; their batches are retried or given up as the mapping says";
    this.#telemetry.log("warn", message, fields);
    this.#untold = 0;
    this.#tellAtMs = nowMs + INTERVAL_MS;
  }
}
