import { type BackoffLimits, backoffMs } from "../../lib/back-off.ts";
import { sleep } from "../../lib/sleep.ts";
import { describeError, hasErrorCode, MillraceError } from "../../model/errors.ts";
import { type FailureRecord, failureEnvelope } from "../../model/failure-record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Destination } from "../../ports/destination.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { BatchTrace, TraceCarriers } from "../trace/batch-trace.ts";

export interface FailureDeliveryOptions {
  readonly mapping: string;
  readonly destination: Destination | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly limits: BackoffLimits;
}

/** The trace that deliveries belong to. */
export interface TracedDiscard {
  readonly trace: BatchTrace;
  carriers(): TraceCarriers;
}

/**
 * Ends the life of discarded records: at their destination, or dropped and counted. The caller settles them only when
 * this says so, so that no checkpoint passes a record that is nowhere (decision 0003).
 */
export class FailureDelivery {
  readonly #options: FailureDeliveryOptions;

  constructor(options: FailureDeliveryOptions) {
    this.#options = options;
  }

  /** `true`: settled, delivered or dropped. `false`: stopped before; the records are to come again. */
  async discard(
    record: FailureRecord,
    stop: AbortSignal,
    call: AbortSignal,
    traced?: TracedDiscard,
  ): Promise<boolean> {
    const { mapping, destination, telemetry, clock, random, limits } = this.#options;
    const events = record.batch.records?.count ?? 0;
    if (destination === undefined) {
      telemetry.mark("drop without destination");
      telemetry.count("dropped_events", mapping, events);
      const message = "discarded records were dropped: the mapping has no failure destination";
      this.#log("warn", message, record, traced);
      return true;
    }
    for (let failures = 1; ; failures++) {
      try {
        await deliverTraced(destination, record, call, traced);
        telemetry.count("on_failure_destination_delivered_events", mapping, events);
        this.#log("info", "discarded records were delivered to the failure destination", record, traced);
        return true;
      } catch (error) {
        if (call.aborted) return false;
        telemetry.count("destination_delivery_failures", mapping, 1);
        if (hasErrorCode(error, "ERR_MILLRACE_DESTINATION_REJECTED")) {
          telemetry.mark("destination rejected");
          telemetry.count("dropped_events", mapping, events);
          const message = "the failure destination rejected a record, which was dropped";
          this.#log("error", message, record, traced, error);
          return true;
        }
        telemetry.mark("destination unavailable");
        const message = "the failure destination did not accept a record; trying again";
        this.#log("warn", message, record, traced, error);
      }
      if (!(await sleep(clock, backoffMs(failures, limits, random), stop))) return false;
    }
  }

  #log(
    level: "info" | "warn" | "error",
    message: string,
    record: FailureRecord,
    traced: TracedDiscard | undefined,
    error?: unknown,
  ): void {
    this.#options.telemetry.log(level, message, {
      mapping: this.#options.mapping,
      shardId: record.batch.shardId,
      condition: record.condition,
      requestId: record.requestId,
      traceId: traced?.trace.traceId,
      records: record.batch.records?.count ?? 0,
      from: record.batch.records?.startPosition,
      to: record.batch.records?.endPosition,
      error: error === undefined ? undefined : describeError(error),
    });
  }
}

/** One try, with its span. */
async function deliverTraced(
  destination: Destination,
  record: FailureRecord,
  call: AbortSignal,
  traced: TracedDiscard | undefined,
): Promise<void> {
  const envelope = failureEnvelope(record);
  if (traced === undefined) return destination.deliver(envelope, call);
  const { requestId, condition } = record;
  const end = traced.trace.beginDelivery({ requestId, condition, carriers: traced.carriers() });
  try {
    await destination.deliver(envelope, call);
  } catch (error) {
    end(errorCodeOf(error));
    throw error;
  }
  end(undefined);
}

/** A code of the catalogue says what went wrong; texts of others may say more than a span should. */
function errorCodeOf(error: unknown): string {
  return error instanceof MillraceError ? error.code : "_OTHER";
}
