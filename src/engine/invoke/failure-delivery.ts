import type { BackoffLimits } from "../../lib/back-off.ts";
import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import { describeError, hasErrorCode, MillraceError } from "../../model/errors.ts";
import { type FailureRecord, failureEnvelope } from "../../model/failure-record.ts";
import type { StreamRecord } from "../../model/record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Delivered, Destination } from "../../ports/destination.ts";
import type { FailureNotes } from "../../ports/failure-notes.ts";
import type { LogFields, Telemetry } from "../../ports/telemetry.ts";
import type { DestinationStanding } from "../explanation.ts";
import type { SourceOutages } from "../stream/source-outages.ts";
import type { BatchTrace, TraceCarriers } from "../trace/batch-trace.ts";

export interface FailureDeliveryOptions {
  readonly mapping: string;
  readonly destination: Destination | undefined;
  readonly telemetry: Telemetry;
  readonly limits: BackoffLimits;
  /** The mapping's: its lanes wait for the destination together. */
  readonly outages: SourceOutages;
  readonly lines: RepeatedLines;
  readonly clock: Clock;
  /** Told of what the destination has accepted; absent: nobody keeps a list. */
  readonly failures?: (FailureNotes & { readonly destination: string }) | undefined;
}

/** One of `outages`. */
const DESTINATION = "the failure destination";

/** What was given up, and the document of it. */
export interface Discard {
  readonly record: FailureRecord;
  readonly items: readonly Pick<StreamRecord, "position" | "key">[];
  readonly traced?: TracedDiscard | undefined;
}

/** How long a record that was lost to it is told of. */
const REJECTION_TOLD_MS = 600_000;

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
  /** Discarded batches that the destination has refused, and that wait for it. */
  #refused = 0;
  #lastProblem: string | undefined;
  #rejectedRecords = 0;
  /** Monotonic. */
  #rejectedMs = Number.NEGATIVE_INFINITY;

  constructor(options: FailureDeliveryOptions) {
    this.#options = options;
  }

  /** Something that was given up waits for a destination that does not accept it. */
  get isRefused(): boolean {
    return this.#refused > 0;
  }

  /** `undefined`: nothing is wrong with it. */
  explain(): DestinationStanding | undefined {
    const isRecent = this.#options.clock.monotonic() - this.#rejectedMs < REJECTION_TOLD_MS;
    if (!this.isRefused && !isRecent) return undefined;
    return {
      isRefusing: this.isRefused,
      rejectedRecords: isRecent ? this.#rejectedRecords : 0,
      lastProblem: this.#lastProblem,
    };
  }

  /** `true`: settled, delivered or dropped. `false`: stopped before; the records are to come again. */
  async discard(discarded: Discard, stop: AbortSignal, call: AbortSignal): Promise<boolean> {
    const { mapping, destination, telemetry } = this.#options;
    const { record, traced } = discarded;
    const events = record.batch.records?.count ?? 0;
    if (destination === undefined) {
      // plant: a-drop-is-not-counted
      telemetry.mark("drop without destination");
      telemetry.count("dropped_events", mapping, events);
      const message = "discarded records were dropped: the mapping has no failure destination";
      this.#log("warn", message, record, traced);
      return true;
    }
    if (await this.#try(destination, discarded, call)) return true;
    if (call.aborted) return false;
    this.#refused++;
    try {
      return await this.#tryAgain(destination, discarded, stop, call);
    } finally {
      this.#refused--;
    }
  }

  async #tryAgain(
    destination: Destination,
    discarded: Discard,
    stop: AbortSignal,
    call: AbortSignal,
  ): Promise<boolean> {
    const { outages } = this.#options;
    for (;;) {
      await outages.pause(DESTINATION, stop);
      if (stop.aborted || call.aborted) return false;
      if (await this.#try(destination, discarded, call)) return true;
    }
  }

  /** `true`: delivered, or dropped since the destination can never take it. */
  async #try(destination: Destination, discarded: Discard, call: AbortSignal): Promise<boolean> {
    const { record, traced } = discarded;
    const { mapping, telemetry, limits, outages, lines } = this.#options;
    const events = record.batch.records?.count ?? 0;
    try {
      // plant: records-are-settled-before-the-destination-has-accepted-them
      const delivered = await deliverTraced(destination, record, call, traced);
      this.#note(discarded, delivered);
      outages.worked(DESTINATION);
      telemetry.count("on_failure_destination_delivered_events", mapping, events);
      this.#log("info", "discarded records were delivered to the failure destination", record, traced);
      return true;
    } catch (error) {
      if (call.aborted) return false;
      telemetry.count("destination_delivery_failures", mapping, 1);
      if (hasErrorCode(error, "ERR_MILLRACE_DESTINATION_REJECTED")) {
        outages.worked(DESTINATION);
        telemetry.mark("destination rejected");
        this.#noteRejection(events, error);
        telemetry.count("dropped_events", mapping, events);
        const message = "the failure destination rejected a record, which was dropped";
        this.#log("error", message, record, traced, error);
        return true;
      }
      // plant: an-unavailable-destination-drops-the-record
      telemetry.mark("destination unavailable");
      outages.failed(DESTINATION, limits);
      const message = "the failure destination did not accept a record; trying again";
      lines.write("warn", message, fieldsOf(mapping, record, traced, error));
      this.#lastProblem = describeError(error);
      return false;
    }
  }

  #noteRejection(records: number, error: unknown): void {
    this.#lastProblem = describeError(error);
    const nowMs = this.#options.clock.monotonic();
    this.#rejectedRecords =
      nowMs - this.#rejectedMs < REJECTION_TOLD_MS ? this.#rejectedRecords + records : records;
    this.#rejectedMs = nowMs;
  }

  #note({ record, items, traced }: Discard, delivered: Delivered | undefined): void {
    const { mapping, failures } = this.#options;
    if (failures === undefined) return;
    const { destination } = failures;
    const trace = traced?.trace.traceparent;
    failures.delivered({ mapping, record, items, destination, at: delivered?.at, trace });
  }

  #log(
    level: "info" | "warn" | "error",
    message: string,
    record: FailureRecord,
    traced: TracedDiscard | undefined,
    error?: unknown,
  ): void {
    this.#options.telemetry.log(level, message, fieldsOf(this.#options.mapping, record, traced, error));
  }
}

function fieldsOf(
  mapping: string,
  { batch, condition, requestId }: FailureRecord,
  traced: TracedDiscard | undefined,
  error: unknown,
): LogFields {
  return {
    mapping,
    shardId: batch.shardId,
    condition,
    requestId,
    traceId: traced?.trace.traceId,
    records: batch.records?.count ?? 0,
    from: batch.records?.startPosition,
    to: batch.records?.endPosition,
    error: error === undefined ? undefined : describeError(error),
  };
}

/** One try, with its span. */
async function deliverTraced(
  destination: Destination,
  record: FailureRecord,
  call: AbortSignal,
  traced: TracedDiscard | undefined,
): Promise<Delivered | undefined> {
  const envelope = failureEnvelope(record);
  if (traced === undefined) return destination.deliver(envelope, call);
  const { requestId, condition } = record;
  const end = traced.trace.beginDelivery({ requestId, condition, carriers: traced.carriers() });
  try {
    const delivered = await destination.deliver(envelope, call);
    end(undefined);
    return delivered;
  } catch (error) {
    end(errorCodeOf(error));
    throw error;
  }
}

/** A code of the catalogue says what went wrong; texts of others may say more than a span should. */
function errorCodeOf(error: unknown): string {
  return error instanceof MillraceError ? error.code : "_OTHER";
}
